package main

import (
	"os"

	"github.com/spf13/cobra"

	"edgejwt/cmd/edgejwt/bootstrap"
)

// caFiles are where systems keep the authorities that they trust.
var caFiles = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Arch, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora, RHEL
	"/etc/ssl/ca-bundle.pem",             // openSUSE
	"/etc/ssl/cert.pem",                  // macOS, BSD
}

func newInitCommand() *cobra.Command {
	var o bootstrap.Options
	cmd := &cobra.Command{
		Use:   "init --domain DOMAIN | --issuer ISSUER --audience AUDIENCE --upstream HOST:PORT",
		Short: "Write a first envoy.yaml",
		Long: `init writes a bootstrap for Envoy to standard output: a listener with edgejwt, a
cluster for your API, and one for the provider's keys with TLS and a check of the
certificate. Every request needs a valid token. Comments say where routes of your own
go; what no route matches is refused.

--domain is an Auth0 tenant's domain. For another provider, --issuer is the value of
"iss" in its tokens; without --jwks-uri, the plugin finds the key set by OpenID Connect
Discovery.

Exit codes: 0 the file is written; 2 wrong usage, or a value that the plugin refuses.`,
		Example: `  edgejwt init --domain tenant.eu.auth0.com --audience https://api.example.com --upstream 127.0.0.1:8000 > my.yaml
  edgejwt init --issuer https://idp.example.com/realms/main --audience orders --upstream https://orders.internal > my.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bootstrap.Write(cmd.OutOrStdout(), &o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Domain, "domain", "", "domain of the Auth0 tenant")
	flags.StringVar(&o.Issuer, "issuer", "", `issuer of another provider ("iss" of its tokens)`)
	flags.StringVar(&o.JWKSURI, "jwks-uri", "", "with --issuer: https URL of the key set (default: by OpenID Connect Discovery)")
	flags.StringArrayVar(&o.Audiences, "audience", nil, `identifier of your API ("aud" of its tokens); may be repeated`)
	flags.StringVar(&o.Upstream, "upstream", "", "your API: host:port, or an http or https URL")
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:10000", "IP address and port that Envoy listens on")
	flags.StringVar(&o.Admin, "admin", "127.0.0.1:9901", "IP address and port of Envoy's admin endpoint")
	flags.StringVar(&o.Module, "module", "dist/edgejwt.wasm", "file with the plugin's module")
	flags.StringVar(&o.CAFile, "ca-file", caFile(), "file with the certificate authorities that Envoy trusts")
	cmd.MarkFlagsOneRequired("domain", "issuer")
	cmd.MarkFlagsMutuallyExclusive("domain", "issuer")
	cmd.MarkFlagsMutuallyExclusive("domain", "jwks-uri")
	for _, name := range []string{"audience", "upstream"} {
		_ = cmd.MarkFlagRequired(name) // it is declared above
	}
	return cmd
}

// caFile is this system's file of trusted authorities; the first one where there is none.
func caFile() string {
	for _, name := range caFiles {
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	return caFiles[0]
}
