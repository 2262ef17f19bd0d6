package plugin

import "testing"

func TestAddressLabel(t *testing.T) {
	for address, want := range map[string]string{
		"https://tenant.auth0.example/":             "tenant.auth0.example/",
		"https://idp.example:8443/keys.json":        "idp.example:8443/keys.json",
		"https://idp.example/keys?key=secret;x":     "idp.example/keys",
		"https://idp.example/keys;outcome=x?secret": "idp.example/keys",
		"a b\n\"c\"\\\x7f é":                        "a_b__c______",
		"accounts.google.com":                       "accounts.google.com",
		"":                                          "",
		"https://":                                  "",
	} {
		if got := addressLabel(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
