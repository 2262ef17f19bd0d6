package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/cmd/edgejwt/validate"
	"edgejwt/plugin/config"
)

// readFiles reads each file; "-" is in.
func readFiles(names []string, in io.Reader) ([]validate.File, error) {
	var files []validate.File
	for _, name := range names {
		text, err := read(name, in)
		if err != nil {
			return nil, err
		}
		if name == "-" {
			name = "standard input"
		}
		files = append(files, validate.File{Name: name, Text: text})
	}
	return files, nil
}

// readFile reads one file; "-" is in. A file whose name ends in .json must be JSON.
func readFile(name string, in io.Reader) ([]byte, error) {
	text, err := read(name, in)
	if err != nil {
		return nil, err
	}
	if document.IsJSONName(name) {
		if _, err := document.ReadNamed(name, text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return text, nil
}

func read(name string, in io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(name)
}

// readConfig reads the one configuration in a file, with its JSON. The error wraps a
// *config.Error if the plugin refuses it.
func readConfig(name string, in io.Reader) (*config.Config, []byte, error) {
	files, err := readFiles([]string{name}, in)
	if err != nil {
		return nil, nil, err
	}
	found, err := validate.Configurations(files)
	switch {
	case err != nil:
		return nil, nil, err
	case len(found) == 0:
		return nil, nil, fmt.Errorf("%s holds no configuration of edgejwt; one has auth0 or jwtRules in it", files[0].Name)
	case len(found) > 1:
		var lines []string
		for _, c := range found {
			lines = append(lines, fmt.Sprintf("line %d", c.Line))
		}
		return nil, nil, fmt.Errorf("%s holds several configurations of edgejwt (%s); put the one that is meant into a file of its own",
			files[0].Name, strings.Join(lines, ", "))
	}
	c, err := config.Parse(found[0].Text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is refused by the plugin (edgejwt validate tells more):\n%w", files[0].Name, err)
	}
	return c, found[0].Text, nil
}
