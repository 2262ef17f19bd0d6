package e2e

import (
	"context"
	"encoding/base64"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/harness"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// healthServer is a gRPC service, which lives as long as the test binary.
func healthServer(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	healthpb.RegisterHealthServer(s, health.NewServer())
	go s.Serve(l)
	return l.Addr().String()
}

// TestGRPCClient: a real client gets its own kind of error, and a stream its
// messages.
func TestGRPCClient(t *testing.T) {
	w := edges(t)
	conn, err := grpc.NewClient("passthrough:///"+w.At("plain"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := healthpb.NewHealthClient(conn)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	healthy := signed(t, w.Auth0, map[string]any{"scope": "read:health"})
	for _, tc := range []struct {
		name    string
		headers []string
		code    codes.Code
		message string
	}{
		{"no token", nil, codes.Unauthenticated, "An access token is required."},
		{"a bad token", bearer("a.b.c"), codes.Unauthenticated, "The access token is malformed."},
		{"without the scope", bearer(w.Auth0.Token()), codes.PermissionDenied, "The access token lacks a scope that is needed here."},
		{"two tokens", append(bearer(healthy), bearer(w.Auth0.Token())...), codes.InvalidArgument, "The request carries more than one access token, or may be read so."},
		{"what it needs", bearer(healthy), codes.OK, ""},
	} {
		_, err := client.Check(metadata.AppendToOutgoingContext(ctx, tc.headers...), &healthpb.HealthCheckRequest{})
		if got := status.Convert(err); got.Code() != tc.code || got.Message() != tc.message {
			t.Errorf("%s: %v, want %v: %s", tc.name, err, tc.code, tc.message)
		}
	}
	watch := func(headers ...string) error {
		stream, err := client.Watch(metadata.AppendToOutgoingContext(ctx, headers...), &healthpb.HealthCheckRequest{})
		if err == nil {
			_, err = stream.Recv()
		}
		return err
	}
	if err := watch(); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a stream without a token: %v", err)
	}
	if err := watch(bearer(w.Auth0.Token())...); err != nil {
		t.Errorf("a stream with a token: %v", err)
	}
}

// TestGRPCWeb: behind Envoy's grpc_web filter a page's client gets gRPC's status
// beside HTTP's; without the filter, only HTTP's. It understands both.
func TestGRPCWeb(t *testing.T) {
	w := edges(t)
	healthy := signed(t, w.Auth0, map[string]any{"scope": "read:health"})
	call := func(edge, kind string, headers ...string) harness.Answer {
		body := "\x00\x00\x00\x00\x00"
		if strings.Contains(kind, "text") {
			body = base64.StdEncoding.EncodeToString([]byte(body))
		}
		return w.Do(harness.Request{Method: "POST", Path: "/grpc.health.v1.Health/Check", To: w.At(edge), Body: body,
			Headers: append(headers, "content-type", kind, "accept", kind, "x-grpc-web", "1", "origin", "https://app.example")})
	}
	for _, kind := range []string{"application/grpc-web+proto", "application/grpc-web-text+proto", "application/grpc-web"} {
		for _, tc := range []struct {
			name    string
			headers []string
			code    string
			http    int
		}{
			{"no token", nil, "16", 401},
			{"without the scope", bearer(w.Auth0.Token()), "7", 403},
		} {
			if got := call("browsers", kind, tc.headers...); got.Status != tc.http || got.Header.Get("Grpc-Status") != tc.code || got.Header.Get("Grpc-Message") == "" || got.Header.Get("Access-Control-Allow-Origin") == "" {
				t.Errorf("%s, %s: %v, want grpc-status %s", kind, tc.name, got, tc.code)
			}
			if got := call("plain", kind, tc.headers...); got.Status != tc.http || got.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s, %s, without the filter: %v, want %d", kind, tc.name, got, tc.http)
			}
		}
		got := call("browsers", kind, bearer(healthy)...)
		body := got.Body
		if strings.Contains(kind, "text") {
			body = ""
			for _, part := range regexp.MustCompile(`[\w+/]+=*`).FindAllString(got.Body, -1) { // each frame is padded
				decoded, _ := base64.StdEncoding.DecodeString(part)
				body += string(decoded)
			}
		}
		// A message, then a frame of trailers (bit 7 of its first byte).
		if got.Status != 200 || !strings.Contains(strings.ToLower(body), "grpc-status:0") {
			t.Errorf("%s with what it needs: %v", kind, got)
		}
	}
}
