package auth0

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// controlHandler serves the switches of Server to other processes:
//
//	GET  /state              kids, current, fetches, discovery_fetches, max_in_flight, fault
//	POST /fault              a Fault as JSON; {} heals; delay may be "2s"; ?endpoint=discovery
//	POST /rotate             next becomes current; ?unseen=1 takes a key nobody has seen
//	POST /withdraw?kid=…     takes a key out of the set
//	POST /replace            new material under the current kid
//	POST /reset              counts to zero
//	POST /stop, /resume      close the TLS port, open it again
//	POST /mint               claims as JSON → a signed token; ?next=1
func (s *Server) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) { s.writeState(w) })
	mux.HandleFunc("POST /fault", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Fault
			Delay string `json:"delay"`
		}
		body, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10))
		if err := json.Unmarshal(body, &in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if in.Delay != "" {
			d, err := time.ParseDuration(in.Delay)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			in.Fault.Delay = d
		}
		at := keysEndpoint
		if r.URL.Query().Get("endpoint") == "discovery" {
			at = discoveryEndpoint
		}
		s.setFault(at, in.Fault)
		s.writeState(w)
	})
	mux.HandleFunc("POST /rotate", s.switched(func(r *http.Request) error {
		rotate := s.Rotate
		if r.URL.Query().Get("unseen") != "" {
			rotate = s.RotateUnseen
		}
		_, err := rotate()
		return err
	}))
	mux.HandleFunc("POST /withdraw", s.switched(func(r *http.Request) error { return s.Withdraw(r.URL.Query().Get("kid")) }))
	mux.HandleFunc("POST /replace", s.switched(func(*http.Request) error { return s.Replace() }))
	mux.HandleFunc("POST /reset", s.switched(func(*http.Request) error { s.ResetCounts(); return nil }))
	mux.HandleFunc("POST /stop", s.switched(func(*http.Request) error { s.Stop(); return nil }))
	mux.HandleFunc("POST /resume", s.switched(func(*http.Request) error { return s.Resume() }))
	mux.HandleFunc("POST /mint", func(w http.ResponseWriter, r *http.Request) {
		var claims Claims
		if err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&claims); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		token, err := s.MintToken(claims, Mint{Next: r.URL.Query().Get("next") != ""})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		io.WriteString(w, token)
	})
	return mux
}

// switched answers a switch with the state after it.
func (s *Server) switched(do func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := do(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.writeState(w)
	}
}

func (s *Server) writeState(w http.ResponseWriter) {
	s.mu.Lock()
	state := map[string]any{
		"fault":             s.faults[keysEndpoint].Kind,
		"fetches":           s.fetches[keysEndpoint].total,
		"max_in_flight":     s.fetches[keysEndpoint].maxInFlight,
		"discovery_fetches": s.fetches[discoveryEndpoint].total,
		"current":           s.keys.current.kid,
		"listening":         s.http != nil,
	}
	s.mu.Unlock()
	state["kids"] = s.KIDs()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(state)
}
