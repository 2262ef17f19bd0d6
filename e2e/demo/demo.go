// Package demo is what `make run` shows: a stand-in Auth0 (or a real tenant), an
// API and Envoy with the plugin between them, and the client-credentials flow
// played before the reader's eyes, each call as a curl line that can be pasted
// while the demonstration stays up.
//
// It starts the envoy.yaml that a user would copy, as it stands; ports, domain
// and audience are read from that file. For a real tenant it writes a copy with
// the tenant's name in it (tenant.go).
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/parts"
)

// Options say how to run the demonstration.
type Options struct {
	Root   string // project's folder
	Config string // Envoy's configuration; default Root/envoy.yaml
	Run    string // folder for logs, tokens and what is written; default Root/.run
	// Control is where the stand-in's switches listen; default ControlAddress.
	Control string
	Once    bool                // end after the flow instead of staying up
	Env     func(string) string // reads AUTH0_*; default os.Getenv
	Out     io.Writer           // what the reader sees; default os.Stdout
}

// ControlAddress is where the stand-in's switches are found, which the lines
// of docs/refusals.md use.
const ControlAddress = "127.0.0.1:9444"

// patience is how long anything may take to become ready. The first start
// compiles the module, which is slow on a small machine.
const patience = 60 * time.Second

// Run plays the flow and, unless o.Once, stays up until ctx ends. Everything
// that it starts is gone when it returns. It fails, with a text meant for the
// reader, when something is missing or busy, when a part ends early, or when a
// step is not answered as expected.
func Run(ctx context.Context, o Options) error {
	o.setDefaults()
	if err := parts.Check(o.Root); err != nil {
		return err
	}
	template, err := readTemplate(o.Config)
	if err != nil {
		return err
	}
	tenant, err := tenantFrom(o.Env)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Run, 0o755); err != nil {
		return err
	}
	s := &stage{Options: o, ports: template.ports}
	defer s.clear()

	if err := s.freePorts(tenant == nil); err != nil {
		return err
	}
	config := o.Config
	if tenant == nil {
		if tenant, err = s.startStandIn(template); err != nil {
			return err
		}
	} else {
		config = filepath.Join(o.Run, "envoy.yaml")
		if err := template.write(config, tenant); err != nil {
			return err
		}
		s.say("Envoy's configuration for %s is in %s.", tenant.domain, s.short(config))
	}
	s.tenant = tenant

	err = s.perform(ctx, config)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // Ctrl-C is how the demonstration ends
	}
	return err
}

func (o *Options) setDefaults() {
	if o.Config == "" {
		o.Config = filepath.Join(o.Root, "envoy.yaml")
	}
	if o.Run == "" {
		o.Run = filepath.Join(o.Root, ".run")
	}
	if o.Control == "" {
		o.Control = ControlAddress
	}
	if o.Env == nil {
		o.Env = os.Getenv
	}
	if o.Out == nil {
		o.Out = os.Stdout
	}
}

// stage is a demonstration under way.
type stage struct {
	Options
	ports   ports
	tenant  *tenant
	standIn *auth0.Server
	api     *parts.API
	envoy   *parts.Envoy
	written []string // files with tokens, removed at the end
}

func (s *stage) say(format string, args ...any) { fmt.Fprintf(s.Out, format+"\n", args...) }

// short is path as the reader would type it from the project's folder.
func (s *stage) short(path string) string {
	if r, err := filepath.Rel(s.Root, path); err == nil && filepath.IsLocal(r) {
		return r
	}
	return path
}

// perform starts the parts, plays the flow and waits.
func (s *stage) perform(ctx context.Context, config string) error {
	start, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	s.say("Starting the API on %s ...", s.ports.api)
	if s.api, err = parts.StartAPI(start, parts.APIOptions{
		Root: s.Root, App: "main:app", Port: s.ports.api.number(), Log: filepath.Join(s.Run, "api.log"),
	}); err != nil {
		return err
	}
	s.say("Starting Envoy on %s ...", s.ports.edge)
	if s.envoy, err = parts.StartEnvoy(start, parts.EnvoyOptions{
		Root: s.Root, Config: config, Log: filepath.Join(s.Run, "envoy.log"), Concurrency: 2,
	}); err != nil {
		return err
	}
	if err := s.play(start); err != nil {
		return err
	}
	if s.standIn != nil {
		if err := s.keepRefused(); err != nil {
			return err
		}
	}
	s.say("\nFor your own tenant and API (go install ./cmd/edgejwt installs the first command):\n" +
		"  edgejwt init --domain DOMAIN --audience AUDIENCE --upstream HOST:PORT > my.yaml\n  make run CONFIG=my.yaml")
	if s.Once {
		return nil
	}
	if s.standIn != nil {
		s.say("\nThe tokens for the lines of docs/refusals.md are in %s, the stand-in's switches at http://%s.", s.short(s.Run), s.standIn.ControlAddress())
	}
	s.say("\nAll of it stays up: paste any line above into another terminal, in %s.", s.Root)
	s.say("Logs are in %s, Envoy's own pages at http://%s. Ctrl-C ends everything.", s.short(s.Run), s.ports.admin)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.api.Done():
		return s.api.Died()
	case <-s.envoy.Done():
		return s.envoy.Died()
	}
}

// clear ends what runs, the proxy first so that nobody meets a closed port
// behind it, and removes the tokens.
func (s *stage) clear() {
	if s.envoy != nil {
		s.envoy.Stop()
	}
	if s.api != nil {
		s.api.Stop()
	}
	if s.standIn != nil {
		s.standIn.Close()
	}
	for _, path := range s.written {
		os.Remove(path)
	}
}

// startStandIn makes the tenant that the template names.
func (s *stage) startStandIn(t *template) (*tenant, error) {
	s.say("Starting a stand-in for Auth0 as %s on %s ...", t.domain, s.ports.auth0)
	ca := filepath.Join(s.Root, t.caFile)
	if filepath.IsAbs(t.caFile) {
		ca = t.caFile
	}
	other := auth0.OtherAudience
	server, err := auth0.Start(auth0.Options{
		Domain:    t.domain,
		Audiences: []string{t.audience, other},
		Address:   string(s.ports.auth0),
		Control:   s.Control,
		CAFile:    ca,
		Clients: map[string]auth0.Client{auth0.DefaultClientID: {Secret: auth0.DefaultClientSecret, Grants: map[string]string{
			t.audience: "read:orders write:orders",
			other:      "read:other",
		}}},
	})
	if err != nil {
		return nil, err
	}
	s.standIn = server
	return &tenant{
		domain: t.domain, audience: t.audience, otherAudience: other,
		clientID: auth0.DefaultClientID, clientSecret: auth0.DefaultClientSecret,
		secretShown: true, connect: server.Address(), caFile: ca,
	}, nil
}
