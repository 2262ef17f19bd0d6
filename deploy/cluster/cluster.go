// Package cluster is a stand-in for a Kubernetes API server, for tests that run the
// commands of the pages: kubectl and helm talk to it as to a real one. It keeps
// objects, merges patches and refuses what the publishers' CustomResourceDefinitions
// refuse. It has no controllers: nothing happens to an object but what a client does.
package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"edgejwt/deploy/crd"
)

// resource is a kind of object that the server knows.
type resource struct {
	group, version, plural, kind string
	namespaced                   bool
}

var resources = []resource{
	{"", "v1", "namespaces", "Namespace", false},
	{"", "v1", "pods", "Pod", true},
	{"", "v1", "secrets", "Secret", true},
	{"", "v1", "configmaps", "ConfigMap", true},
	{"apps", "v1", "deployments", "Deployment", true},
	{"rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", false},
	{"extensions.istio.io", "v1alpha1", "wasmplugins", "WasmPlugin", true},
	{"networking.istio.io", "v1", "serviceentries", "ServiceEntry", true},
	{"networking.istio.io", "v1", "destinationrules", "DestinationRule", true},
	{"gateway.networking.k8s.io", "v1", "gateways", "Gateway", true},
	{"gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute", true},
	{"gateway.networking.k8s.io", "v1", "backendtlspolicies", "BackendTLSPolicy", true},
	{"gateway.envoyproxy.io", "v1alpha1", "envoyextensionpolicies", "EnvoyExtensionPolicy", true},
	{"gateway.envoyproxy.io", "v1alpha1", "backends", "Backend", true},
	{"gateway.envoyproxy.io", "v1alpha1", "envoyproxies", "EnvoyProxy", true},
}

func (r resource) apiVersion() string {
	if r.group == "" {
		return r.version
	}
	return r.group + "/" + r.version
}

// root is the path of the resource's group and version.
func (r resource) root() string {
	if r.group == "" {
		return "/api/" + r.version
	}
	return "/apis/" + r.apiVersion()
}

// Server is the API server, a http.Handler. It may be used by several goroutines.
type Server struct {
	// Judge gives the faults of an object, by its definition. Objects of Kubernetes'
	// own groups are not asked about.
	Judge func(crd.Object) []string
	// Log gives the log of a pod's container.
	Log func(namespace, pod, container string) string
	// Raw are documents at paths of their own, as `kubectl get --raw` reads them.
	Raw map[string]string

	mu      sync.Mutex
	objects map[string]crd.Object // by path
	version int
}

// Add puts an object there, as a controller would.
func (s *Server) Add(text string) error {
	var o crd.Object
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	for _, r := range resources {
		if r.kind == o["kind"] && r.apiVersion() == o["apiVersion"] {
			s.mu.Lock()
			defer s.mu.Unlock()
			meta := metaOf(o)
			s.put(r.path(textOf(meta, "namespace"), textOf(meta, "name")), o)
			return nil
		}
	}
	return fmt.Errorf("unknown resource %v %v", o["apiVersion"], o["kind"])
}

// Objects are the names of the objects of a kind, "namespace/name", in order.
func (s *Server) Objects(kind string) (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.objects {
		if o["kind"] == kind {
			names = append(names, strings.TrimPrefix(textOf(metaOf(o), "namespace")+"/"+textOf(metaOf(o), "name"), "/"))
		}
	}
	slices.Sort(names)
	return names
}

func (r resource) path(namespace, name string) string {
	path := r.root()
	if r.namespaced && namespace != "" {
		path += "/namespaces/" + namespace
	}
	path += "/" + r.plural
	if name != "" {
		path += "/" + name
	}
	return path
}

// Kubeconfig is a configuration of kubectl for a server at this address.
func Kubeconfig(address string) string {
	return "apiVersion: v1\nkind: Config\ncurrent-context: test\n" +
		"clusters: [{name: test, cluster: {server: \"" + address + "\"}}]\n" +
		"contexts: [{name: test, context: {cluster: test, user: test}}]\n" +
		"users: [{name: test, user: {}}]\n"
}

func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text, ok := s.Raw[req.URL.Path]; ok {
		_, _ = io.WriteString(w, text)
		return
	}
	switch req.URL.Path {
	case "/version":
		answer(w, 200, crd.Object{"major": "1", "minor": "37", "gitVersion": "v1.37.1"})
		return
	case "/api":
		answer(w, 200, crd.Object{"kind": "APIVersions", "versions": []any{"v1"}})
		return
	case "/apis":
		answer(w, 200, groupList())
		return
	case "/openapi/v3":
		paths := crd.Object{}
		for _, r := range resources {
			paths[r.root()[1:]] = crd.Object{"serverRelativeURL": "/openapi/v3" + r.root()}
		}
		answer(w, 200, crd.Object{"paths": paths})
		return
	}
	for _, r := range resources {
		switch req.URL.Path {
		case r.root():
			answer(w, 200, resourceList(r))
			return
		case "/openapi/v3" + r.root():
			answer(w, 200, openAPI(r))
			return
		}
	}
	r, namespace, name, sub, ok := find(req.URL.Path)
	switch {
	case !ok:
		refuse(w, 404, "NotFound", "the server could not find the requested resource")
	case sub == "log" && req.Method == http.MethodGet:
		_, _ = io.WriteString(w, s.Log(namespace, name, req.URL.Query().Get("container")))
	case sub != "":
		refuse(w, 404, "NotFound", "no such subresource")
	case name == "" && req.Method == http.MethodGet:
		s.list(w, req, r, namespace)
	case name == "" && req.Method == http.MethodPost:
		s.create(w, req, r, namespace)
	case name == "":
		refuse(w, 405, "MethodNotAllowed", req.Method)
	default:
		s.one(w, req, r, namespace, name)
	}
}

// find takes a path apart.
func find(path string) (r resource, namespace, name, sub string, ok bool) {
	for _, r := range resources {
		rest, ok := strings.CutPrefix(path, r.root()+"/")
		if !ok {
			continue
		}
		parts := strings.Split(rest, "/")
		if r.namespaced && len(parts) >= 3 && parts[0] == "namespaces" {
			namespace, parts = parts[1], parts[2:]
		}
		if parts[0] != r.plural || len(parts) > 3 || !r.namespaced && len(parts) > 2 {
			namespace = ""
			continue
		}
		parts = append(parts, "", "")
		return r, namespace, parts[1], parts[2], true
	}
	return resource{}, "", "", "", false
}

func (s *Server) list(w http.ResponseWriter, req *http.Request, r resource, namespace string) {
	query := req.URL.Query()
	byLabel, labelErr := labels.Parse(query.Get("labelSelector"))
	byField, fieldErr := fields.ParseSelector(query.Get("fieldSelector"))
	if labelErr != nil || fieldErr != nil || query.Get("watch") != "" {
		refuse(w, 400, "BadRequest", "this list cannot be had")
		return
	}
	items := []any{}
	for _, path := range slices.Sorted(maps.Keys(s.objects)) {
		o := s.objects[path]
		meta := metaOf(o)
		own := labels.Set{}
		if given, ok := meta["labels"].(crd.Object); ok {
			for k, v := range given {
				own[k], _ = v.(string)
			}
		}
		in := o["kind"] == r.kind && o["apiVersion"] == r.apiVersion() && (namespace == "" || meta["namespace"] == namespace)
		if in && byLabel.Matches(own) && byField.Matches(fields.Set{"metadata.name": textOf(meta, "name"), "metadata.namespace": textOf(meta, "namespace")}) {
			items = append(items, o)
		}
	}
	answer(w, 200, crd.Object{"kind": r.kind + "List", "apiVersion": r.apiVersion(),
		"metadata": crd.Object{"resourceVersion": strconv.Itoa(s.version)}, "items": items})
}

func (s *Server) create(w http.ResponseWriter, req *http.Request, r resource, namespace string) {
	o, err := body(req)
	if err != nil {
		refuse(w, 400, "BadRequest", err.Error())
		return
	}
	path := r.path(namespace, textOf(metaOf(o), "name"))
	if s.objects[path] != nil {
		refuse(w, 409, "AlreadyExists", path+" already exists")
		return
	}
	s.keep(w, req, r, namespace, path, o, 201)
}

// one answers requests for one object.
func (s *Server) one(w http.ResponseWriter, req *http.Request, r resource, namespace, name string) {
	path := r.path(namespace, name)
	before := s.objects[path]
	apply := strings.HasPrefix(req.Header.Get("Content-Type"), "application/apply-patch")
	if before == nil && !(req.Method == http.MethodPatch && apply) {
		refuse(w, 404, "NotFound", fmt.Sprintf("%s %q not found", r.plural, name))
		return
	}
	switch req.Method {
	case http.MethodGet:
		answer(w, 200, before)
	case http.MethodDelete:
		delete(s.objects, path)
		answer(w, 200, crd.Object{"kind": "Status", "apiVersion": "v1", "status": "Success",
			"details": crd.Object{"name": name, "kind": r.plural, "uid": metaOf(before)["uid"]}})
	case http.MethodPut:
		o, err := body(req)
		if err != nil {
			refuse(w, 400, "BadRequest", err.Error())
			return
		}
		s.keep(w, req, r, namespace, path, o, 200)
	case http.MethodPatch:
		given, err := body(req)
		if err != nil {
			refuse(w, 400, "BadRequest", err.Error())
			return
		}
		after := given
		// What is applied by the server takes the place of what was there, as it does
		// where one client alone applies. The other kinds of patch are merged; the
		// difference of a strategic merge lies in lists, which nobody here patches.
		if !apply {
			if after, err = merged(before, given); err != nil {
				refuse(w, 422, "Invalid", err.Error())
				return
			}
		}
		s.keep(w, req, r, namespace, path, after, 200)
	default:
		refuse(w, 405, "MethodNotAllowed", req.Method)
	}
}

// keep judges an object and, unless it is a dry run, puts it there.
func (s *Server) keep(w http.ResponseWriter, req *http.Request, r resource, namespace, path string, o crd.Object, status int) {
	if o["kind"] != r.kind || o["apiVersion"] != r.apiVersion() {
		refuse(w, 400, "BadRequest", fmt.Sprintf("%v %v is not %s %s", o["apiVersion"], o["kind"], r.apiVersion(), r.kind))
		return
	}
	if r.namespaced {
		if own := textOf(metaOf(o), "namespace"); own != "" && own != namespace {
			refuse(w, 400, "BadRequest", "the namespace is "+own+" and the request's "+namespace)
			return
		}
		metaOf(o)["namespace"] = namespace
	}
	if strings.Contains(r.group, "istio") || strings.HasPrefix(r.group, "gateway.") {
		judged := maps.Clone(o)
		delete(judged, "status")
		judged["metadata"] = written(metaOf(o))
		if faults := s.Judge(judged); len(faults) > 0 {
			refuse(w, 422, "Invalid", path+" is invalid: "+strings.Join(faults, "; "))
			return
		}
	}
	if req.URL.Query().Get("dryRun") != "" {
		answer(w, status, o)
		return
	}
	answer(w, status, s.put(path, o))
}

func (s *Server) put(path string, o crd.Object) crd.Object {
	s.version++
	if s.objects == nil {
		s.objects = map[string]crd.Object{}
	}
	meta := metaOf(o)
	meta["resourceVersion"] = strconv.Itoa(s.version)
	meta["uid"] = path
	meta["creationTimestamp"] = time.Now().UTC().Format(time.RFC3339)
	if before := s.objects[path]; before != nil {
		meta["creationTimestamp"] = metaOf(before)["creationTimestamp"]
	}
	s.objects[path] = o
	return o
}

// merged is a JSON Merge Patch (RFC 7396).
func merged(before, patch crd.Object) (after crd.Object, err error) {
	old, err := json.Marshal(before)
	if err != nil {
		return nil, err
	}
	change, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	made, err := jsonpatch.MergePatch(old, change)
	if err != nil {
		return nil, err
	}
	return after, json.Unmarshal(made, &after)
}

func body(req *http.Request) (o crd.Object, err error) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(req.Header.Get("Content-Type"), "application/vnd.kubernetes.protobuf") { // as helm sends its Secrets
		typed, kind, err := scheme.Codecs.UniversalDeserializer().Decode(text, nil, nil)
		if err != nil {
			return nil, err
		}
		if text, err = json.Marshal(typed); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &o); err != nil {
			return nil, err
		}
		o["apiVersion"], o["kind"] = kind.GroupVersion().String(), kind.Kind
		return o, nil
	}
	return o, yaml.Unmarshal(text, &o)
}

func metaOf(o crd.Object) crd.Object {
	meta, _ := o["metadata"].(crd.Object)
	if meta == nil {
		meta = crd.Object{}
		o["metadata"] = meta
	}
	return meta
}

// written are the members of metadata that a client writes.
func written(meta crd.Object) crd.Object {
	own := crd.Object{}
	for _, name := range []string{"name", "namespace", "labels", "annotations"} {
		if value, ok := meta[name]; ok {
			own[name] = value
		}
	}
	return own
}

func textOf(o crd.Object, name string) string {
	text, _ := o[name].(string)
	return text
}

func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}

func refuse(w http.ResponseWriter, code int, reason, message string) {
	answer(w, code, crd.Object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
}

// openAPI is as much of the document as clients look for: that the server itself
// judges fields, and tries out what is sent.
func openAPI(of resource) crd.Object {
	paths := crd.Object{}
	for _, r := range resources {
		if r.apiVersion() == of.apiVersion() {
			paths[r.path("{namespace}", "{name}")] = crd.Object{"patch": crd.Object{
				"x-kubernetes-group-version-kind": crd.Object{"group": r.group, "version": r.version, "kind": r.kind},
				"parameters":                      []any{crd.Object{"name": "fieldValidation", "in": "query"}, crd.Object{"name": "dryRun", "in": "query"}},
				"responses":                       crd.Object{},
			}}
		}
	}
	return crd.Object{"openapi": "3.0.0", "info": crd.Object{"title": "test", "version": "1"}, "paths": paths}
}

func groupList() crd.Object {
	groups, known := []any{}, map[string]bool{"": true}
	for _, r := range resources {
		if !known[r.group] {
			known[r.group] = true
			version := crd.Object{"groupVersion": r.apiVersion(), "version": r.version}
			groups = append(groups, crd.Object{"name": r.group, "versions": []any{version}, "preferredVersion": version})
		}
	}
	return crd.Object{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
}

func resourceList(of resource) crd.Object {
	list := []any{}
	for _, r := range resources {
		if r.apiVersion() == of.apiVersion() {
			list = append(list, crd.Object{"name": r.plural, "singularName": strings.ToLower(r.kind), "kind": r.kind, "namespaced": r.namespaced,
				"verbs": []any{"create", "delete", "get", "list", "patch", "update", "watch"}})
		}
	}
	return crd.Object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": of.apiVersion(), "resources": list}
}
