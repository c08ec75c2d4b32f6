package provider

import (
	"net/http"
	"slices"
	"strings"
)

// registry has every provider, sorted by name.
var registry = collect(hmacProviders, ownSchemeProviders, handshakeProviders)

// collect joins the tables and gives each provider its handshake and what many have
// alike.
func collect(tables ...[]Provider) []Provider {
	all := slices.Concat(tables...)
	for i := range all {
		if all[i].handshake == nil {
			all[i].handshake = handshakes[all[i].Name]
		}
		if all[i].Refusal == 0 {
			all[i].Refusal = http.StatusUnauthorized
		}
		if all[i].Tolerance > 0 && !slices.Contains(all[i].Uses, "toleranceSeconds") {
			all[i].Uses = append(slices.Clone(all[i].Uses), "toleranceSeconds")
		}
	}
	slices.SortFunc(all, func(a, b Provider) int { return strings.Compare(a.Name, b.Name) })
	return all
}
