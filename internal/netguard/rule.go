package netguard

import (
	"net/netip"
	"slices"
)

// Rule names what a refused target violates. The values are stable: they appear
// in API errors and in the records of attempts.
type Rule string

// The closed set of rules.
const (
	// RuleLength: the URL is empty or longer than MaxURLLen.
	RuleLength Rule = "url_length"
	// RuleCharacter: the URL holds a control, blank, backslash or invisible character.
	RuleCharacter Rule = "url_character"
	// RuleForm: the URL cannot be read as scheme://host/path.
	RuleForm Rule = "url_form"
	// RuleScheme: the scheme is neither https nor http.
	RuleScheme Rule = "scheme"
	// RulePlainHTTP: plain http is not allowed here.
	RulePlainHTTP Rule = "plain_http"
	// RuleUserinfo: the part before @ is ambiguous.
	RuleUserinfo Rule = "userinfo"
	// RuleFragment: the URL has a fragment, which is never sent.
	RuleFragment Rule = "fragment"
	// RuleHost: the host is no DNS name.
	RuleHost Rule = "host_form"
	// RuleAddressForm: the host is an IP address in an unusual spelling.
	RuleAddressForm Rule = "address_form"
	// RuleZone: the address has a zone.
	RuleZone Rule = "address_zone"
	// RuleLocalName: the name means this machine or the local network.
	RuleLocalName Rule = "local_name"
	// RuleMetadata: the name or address is a cloud's metadata service.
	RuleMetadata Rule = "metadata"
	// RulePort: the port is not among the allowed ones.
	RulePort Rule = "port"
	// RuleSelf: the address is one on which this server listens.
	RuleSelf Rule = "own_address"
	// RuleSpecial: the address is in a special-purpose block.
	RuleSpecial Rule = "special_address"
	// RuleEmbedded: the IPv6 address wraps an IPv4 address.
	RuleEmbedded Rule = "embedded_address"
	// RuleUnallocated: the IPv6 address is outside of 2000::/3.
	RuleUnallocated Rule = "unallocated_address"
)

var rules = []Rule{
	RuleLength, RuleCharacter, RuleForm, RuleScheme, RulePlainHTTP, RuleUserinfo, RuleFragment, RuleHost,
	RuleAddressForm, RuleZone, RuleLocalName, RuleMetadata, RulePort, RuleSelf, RuleSpecial, RuleEmbedded, RuleUnallocated,
}

// Rules lists the closed set.
func Rules() []Rule { return slices.Clone(rules) }

// Denied is the error of every refusal. Its texts are fit to show to whoever
// named the target: they never hold more of a URL than host and port, and never an
// address that a name led to.
type Denied struct {
	// Rule is what the target violates.
	Rule Rule
	// Detail says it in words.
	Detail string
	// Hint says how the target could be allowed, or what to write instead; it
	// may be empty.
	Hint string
	// Addr is the refused address, if it came to that. It is for the operator's
	// log: of a name, it tells what the operator's own DNS answers.
	Addr netip.Addr

	// why is Detail without the address.
	why string
}

// Error says rule and detail.
func (d *Denied) Error() string {
	return "refused by the network policy (" + string(d.Rule) + "): " + d.Detail
}

func denied(rule Rule, detail, hint string) *Denied {
	return &Denied{Rule: rule, Detail: detail, Hint: hint, why: detail}
}

func deniedAddr(rule Rule, addr netip.Addr, why, hint string) *Denied {
	return &Denied{Rule: rule, Detail: addr.String() + " is " + why, Hint: hint, Addr: addr, why: why}
}

// forName is the refusal as the owner of a name may see it.
func (d *Denied) forName(host string) *Denied {
	copied := *d
	if d.Addr.IsValid() {
		copied.Detail = host + " leads to an address that is " + d.why
	}
	return &copied
}
