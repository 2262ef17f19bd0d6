package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"edgejwt/cmd/edgejwt/explain"
	"edgejwt/cmd/edgejwt/style"
)

// runCases judges a table of cases.
func (f *explainFlags) runCases(o *explain.Options, in io.Reader, out io.Writer) error {
	text, err := readFile(f.cases, in)
	if err != nil {
		return err
	}
	cases, err := explain.ReadCases(text, func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(f.cases), name)
		}
		return os.ReadFile(name)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", f.cases, err)
	}
	var results []*explain.Result
	failed := 0
	for i := range cases {
		result, err := cases[i].Run(o)
		if err != nil {
			return fmt.Errorf("%s: %w", f.cases, err)
		}
		if !result.OK {
			failed++
		}
		results = append(results, result)
	}
	if f.json {
		err = printJSON(out, results)
	} else {
		err = f.printResults(out, results, failed)
	}
	switch {
	case err != nil:
		return err
	case failed > 0:
		return errBad
	}
	return nil
}

// printResults prints a line for each case, and the decision of each that failed.
func (f *explainFlags) printResults(out io.Writer, results []*explain.Result, failed int) error {
	paint := style.For(out)
	for _, r := range results {
		if r.OK {
			fmt.Fprintf(out, "%s      %s\n", paint.Green("ok"), r.Name)
			continue
		}
		fmt.Fprintf(out, "%s  %s (%s:%d)\n", paint.Red("FAILED"), r.Name, f.cases, r.Line)
		for _, line := range r.Wrong {
			fmt.Fprintf(out, "        %s\n", line)
		}
		if err := r.Explanation.Write(out); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%s, %d failed\n", count(len(results), "case"), failed)
	return err
}
