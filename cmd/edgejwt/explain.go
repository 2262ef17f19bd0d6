package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"edgejwt/cmd/edgejwt/explain"
	"edgejwt/jwks"
	"edgejwt/plugin/config"
)

// explainFlags are explain's flags as they were given.
type explainFlags struct {
	config, request, token, at, cases, policy, openapi, certificate string
	headers, jwks                                                   []string
	fetch, claims, json, coverage                                   bool
}

func newExplainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain --config FILE --request 'METHOD PATH' | --cases FILE | --coverage",
		Short: "Show how the plugin decides a request, step by step",
		Long: `explain decides a request with the plugin's own code and shows each step: where the
token was found, what its header says, which rule and key belong to it, what its
route requires, and then what the API or the client receives.

--config is a configuration (JSON or YAML), or a file that holds one, as validate
reads them. The token comes from a file or, with "-", from the standard input: on
the command line it would stay in the shell's history. It is put into the first
place where the configuration looks for one; -H sets whole headers.

Keys come from --jwks (a file or an https URL; ISSUER=FILE for one issuer only),
from jwks in the configuration, or, with --fetch, from where the plugin would
fetch them. Without keys, the steps up to the signature are shown.

Times and the header of the token are always shown, other claims with --claims only,
and the token itself never. The path is taken as given; Envoy may normalise it first.

--cases is a table of requests and the decisions that you expect, to test a policy
of your own. A case names a file with a token, or claims: a token with these claims
is made and signed with a key that only this run accepts.

    - name: a reader may not write
      request: POST /orders
      claims: {scope: "read:orders"}        # iss, aud, iat and exp as the rule wants them
      headers: {x-tenant: acme}
      expect: {status: 403, reason: scope_missing, route: orders-write}
    - name: the API gets the caller
      request: GET https://api.example.com/orders
      claims: {sub: client-1}
      expect: {reason: accepted, upstream: {x-jwt-sub: client-1}}

--coverage lists what each operation of the API needs. Without --openapi, these are
the paths of the configured routes, with the methods that are treated differently and
all others. With --openapi, they are the operations of an OpenAPI document (3.x, YAML or
JSON; FastAPI serves one at /openapi.json), below the base paths of its servers. An
exclamation mark stands before those that need nothing, or a valid token only.

Exit codes: 0 the request goes on (all cases are as expected); 1 the plugin refuses
it (a case is not as expected); 2 wrong usage, or no keys.`,
		Example: `  edgejwt explain --config policy.yaml --request 'GET /orders/7' --token token.txt --jwks keys.json
  get-token | edgejwt explain --config envoy.yaml --request 'GET /orders/7' --token - --fetch --claims
  edgejwt explain --config policy.yaml --request 'GET /public'
  edgejwt explain --config policy.yaml --cases policy_test.yaml
  edgejwt explain --config policy.yaml --coverage --openapi openapi.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.config, "config", "c", "", "file with the configuration")
	flags.StringVarP(&f.request, "request", "r", "", "the request: 'GET /path' or 'GET https://host/path'")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "a header of the request, 'name: value'; may be repeated")
	flags.StringVarP(&f.token, "token", "t", "", `file with the token, "-" for the standard input`)
	flags.StringVar(&f.certificate, "client-certificate", "", "PEM file with the client's certificate, for tokens that are bound to one")
	flags.StringArrayVar(&f.jwks, "jwks", nil, "key set: a file or an https URL, or ISSUER= and that; may be repeated")
	flags.BoolVar(&f.fetch, "fetch", false, "fetch keys from where the configuration says")
	flags.StringVar(&f.at, "at", "", "the time of the request, RFC 3339 or seconds since 1970 (default now)")
	flags.StringVar(&f.policy, "policy", "", "file with the policy in the metadata of Envoy's route (routeMetadata)")
	flags.StringVar(&f.cases, "cases", "", "file with a table of requests and what is expected of each")
	flags.BoolVar(&f.coverage, "coverage", false, "list what each operation needs")
	flags.StringVar(&f.openapi, "openapi", "", "with --coverage: file with the OpenAPI document of the API")
	flags.BoolVar(&f.claims, "claims", false, "show what the token says")
	flags.BoolVar(&f.json, "json", false, "print the decision as JSON")
	_ = cmd.MarkFlagRequired("config") // it is declared above
	cmd.MarkFlagsOneRequired("request", "cases", "coverage")
	cmd.MarkFlagsMutuallyExclusive("request", "cases", "coverage")
	return cmd
}

func (f *explainFlags) run(in io.Reader, out io.Writer) error {
	if f.config == "-" && f.token == "-" {
		return errors.New("configuration and token cannot both come from the standard input")
	}
	c, _, err := readConfig(f.config, in)
	if err != nil {
		return err
	}
	if f.coverage {
		return f.cover(c, in, out)
	}
	if f.openapi != "" {
		return errors.New("--openapi is for --coverage")
	}
	o := &explain.Options{Config: c, At: time.Now(), Claims: f.claims}
	if o.At, err = parseTime(f.at, o.At); err != nil {
		return err
	}
	if o.Keys, err = f.keys(c, o.At); err != nil {
		return err
	}
	if f.certificate != "" {
		if o.ClientCertificate, err = readCertificate(f.certificate); err != nil {
			return err
		}
	}
	if f.policy != "" {
		text, err := os.ReadFile(f.policy)
		if err != nil {
			return err
		}
		policy := strings.TrimSpace(string(text))
		o.Policy = &policy
	}
	if f.cases != "" {
		return f.runCases(o, in, out)
	}
	return f.runOne(o, in, out)
}

// readCertificate reads the first certificate of a PEM file.
func readCertificate(name string) (der []byte, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			if _, err := x509.ParseCertificate(block.Bytes); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			return block.Bytes, nil
		}
	}
	return nil, fmt.Errorf("%s: no certificate in PEM", name)
}

// cover lists what operations need.
func (f *explainFlags) cover(c *config.Config, in io.Reader, out io.Writer) error {
	coverage := explain.CoverRoutes(c)
	if f.openapi != "" {
		text, err := readFile(f.openapi, in)
		if err != nil {
			return err
		}
		if coverage, err = explain.CoverOpenAPI(c, text); err != nil {
			return fmt.Errorf("%s: %w", f.openapi, err)
		}
	}
	if f.json {
		return printJSON(out, coverage)
	}
	return coverage.Write(out)
}

func (f *explainFlags) runOne(o *explain.Options, in io.Reader, out io.Writer) error {
	q, err := explain.NewRequest(f.request, f.headers)
	if err != nil {
		return err
	}
	if f.token != "" {
		token, err := f.readToken(in)
		if err != nil {
			return err
		}
		q.PutToken(token, o.Config)
	}
	e := explain.Explain(q, o)
	if f.json {
		err = printJSON(out, e)
	} else {
		err = e.Write(out)
	}
	switch {
	case err != nil:
		return err
	case !e.Decided:
		return printed{errors.New("the decision needs keys, and there are none; name them with --jwks, or have them fetched with --fetch")}
	case !e.GoesOn && (e.Answer == nil || e.Answer.Status >= 400 || e.Answer.GRPC > 0):
		return errBad
	}
	return nil
}

func (f *explainFlags) readToken(in io.Reader) (string, error) {
	if strings.HasPrefix(f.token, "eyJ") && strings.Count(f.token, ".") >= 2 {
		return "", errors.New(`--token takes a file's name, or "-" for the standard input: a token on the command line stays in the shell's history and is seen by whoever lists processes. Take this one out of the history`)
	}
	text, err := readFile(f.token, in)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if token == "" {
		return "", errors.New("there is no token in " + f.token)
	}
	return token, nil
}

// keys gathers the key sets that were named, and those that are to be fetched.
func (f *explainFlags) keys(c *config.Config, at time.Time) (*explain.KeySource, error) {
	s := &explain.KeySource{Of: map[string]*jwks.Set{}}
	for _, named := range f.jwks {
		issuer, place := "", named
		for i := range c.Rules {
			if rest, ok := strings.CutPrefix(named, c.Rules[i].Issuer+"="); ok {
				issuer, place = c.Rules[i].Issuer, rest
			}
		}
		set, err := explain.Load(place, http.DefaultClient)
		if err != nil {
			return nil, err
		}
		switch {
		case issuer != "":
			s.Of[issuer] = set
		case s.Default != nil:
			return nil, errors.New("two key sets for every issuer; write ISSUER= before one of them")
		default:
			s.Default = set
		}
	}
	if f.fetch {
		return s, s.Fetch(c, http.DefaultClient, at)
	}
	return s, nil
}

func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return now, nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return now, errors.New("--at " + strconv.Quote(text) + " is neither a time of RFC 3339 (example: 2026-03-01T12:00:00Z) nor seconds since 1970")
	}
	return at, nil
}
