// Package netguard decides which addresses the server may dial for its users.
//
// Users name the targets of deliveries, so every target is hostile until proven
// otherwise: it may be an address of the operator's own network, spelled in one
// of many ways, or a name that leads there, now or a moment later. The policy is
// therefore applied twice:
//
//   - [Policy.CheckURL] looks at the form of a URL, its port and its literal address when
//     it is saved, and gives back the one form that is stored and used. It never
//     resolves names.
//   - [Dialer] resolves the name itself, drops every address that is not allowed,
//     dials the rest by address, and checks once more what the socket is about to
//     connect to ([Policy.ControlContext]). No second resolution can happen in
//     between.
//
// Refused are all blocks of the IANA special-purpose registries (registry_gen.go,
// made from the CSV files in registry/) and those of registry.go, and in IPv6
// everything outside of 2000::/3. An operator allows networks by prefix.
//
// Every refusal is a [*Denied] that names one [Rule] of a closed set and says how the
// operator can allow what was refused.
package netguard
