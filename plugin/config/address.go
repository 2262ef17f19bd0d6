package config

import "edgejwt/jwks"

// istioCluster is the name that Istio gives to the cluster of an external host.
func istioCluster(authority string) string {
	host, port := jwks.SplitAuthority(authority)
	if host[0] == '[' { // jwks.SplitURL has seen to the other bracket
		host = host[1 : len(host)-1]
	}
	return "outbound|" + port + "||" + host
}
