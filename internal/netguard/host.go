package netguard

import (
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// Limits of DNS (RFC 1035) in bytes.
const (
	maxHostLen  = 253
	maxLabelLen = 63
)

// toASCII maps a host as browsers do (UTS 46): lower case, full-width and circled
// digits to digits, other dots to dots, other scripts to punycode. Which ASCII
// characters a label may have is checkLabel's business.
var toASCII = idna.New(
	idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(), idna.CheckJoiners(true),
	idna.CheckHyphens(false), idna.StrictDomainName(false), idna.VerifyDNSLength(false),
)

// checkHost brings a host to its one spelling. addr is valid if it is an address,
// which must be in the usual spelling from the start: a URL of 0x7f.1 is an attempt
// to slip something through, or at best a mistake.
func checkHost(text string, isV6 bool) (host string, addr netip.Addr, refusal *Denied) {
	if isV6 || strings.Contains(text, ":") {
		return checkV6(text)
	}
	host, err := toASCII.ToASCII(text)
	if err != nil {
		return "", addr, denied(RuleHost, "the host is not a valid internationalised name", "")
	}
	host = strings.TrimSuffix(host, ".")
	if host == "" || len(host) > maxHostLen {
		return "", addr, denied(RuleHost, "the host must have 1 to 253 characters", "")
	}
	if addr, err := netip.ParseAddr(host); err == nil && host == text {
		return host, addr, nil
	}
	if endsInNumber(host) {
		return "", addr, denied(RuleAddressForm, "the host is a number or an address in an unusual spelling", "write four decimal numbers without leading zeros, like 192.0.2.1")
	}
	for label := range strings.SplitSeq(host, ".") {
		if refusal := checkLabel(label); refusal != nil {
			return "", addr, refusal
		}
	}
	return host, netip.Addr{}, nil
}

func checkV6(text string) (host string, addr netip.Addr, refusal *Denied) {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil || !addr.Is6():
		return "", netip.Addr{}, denied(RuleAddressForm, "what stands in brackets is not an IPv6 address", "")
	case addr.Zone() != "":
		return "", netip.Addr{}, denied(RuleZone, "the address is given with a zone", "leave the zone out")
	}
	return addr.String(), addr, nil
}

// endsInNumber tells whether some resolver or proxy may take the host for an IPv4
// address: by the URL standard, whenever its last label is a number, in decimal,
// octal or hex.
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// checkLabel admits letters, digits, hyphens inside, and underscores, which are
// in use though RFC 1123 has none.
func checkLabel(label string) *Denied {
	if label == "" || len(label) > maxLabelLen {
		return denied(RuleHost, "each part of the host must have 1 to 63 characters", "")
	}
	if label[0] == '-' || label[len(label)-1] == '-' {
		return denied(RuleHost, "no part of the host may begin or end with a hyphen", "")
	}
	for i := range len(label) {
		c := label[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return denied(RuleHost, "the host may have letters, digits, hyphens and dots", "")
		}
	}
	return nil
}

// metadataNames are names under which clouds serve credentials.
var metadataNames = []string{
	"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal",
	"metadata.azure.internal", "metadata.tencentyun.com", "metadata.packet.net", "metadata.platformequinix.com",
}

// localSuffixes end names that have no meaning on the Internet: RFC 6762, RFC 8375,
// ICANN's private-use name, and what home routers and installers use.
var localSuffixes = []string{".local", ".home.arpa", ".internal", ".localdomain", ".intranet", ".lan"}

// loopbackAddrs are what localhost means (RFC 6761), without asking anybody.
var loopbackAddrs = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}

func isLoopbackName(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "localhost.localdomain"
}

func isLocalName(host string) bool {
	return !strings.Contains(host, ".") ||
		slices.ContainsFunc(localSuffixes, func(suffix string) bool { return strings.HasSuffix(host, suffix) || host == suffix[1:] })
}

// refuseName decides about a name without resolving it.
func (p *Policy) refuseName(host string) *Denied {
	switch {
	case slices.Contains(metadataNames, host):
		return denied(RuleMetadata, host+" is the name of a cloud's metadata service", "")
	case isLoopbackName(host):
		if !slices.ContainsFunc(loopbackAddrs, p.allowsNet) {
			return denied(RuleLocalName, host+" means the server itself", "an operator can allow it with --allow-net 127.0.0.0/8")
		}
	case isLocalName(host):
		// It can only lead into the operator's own network. If some of that is
		// allowed, the address decides.
		if len(p.AllowNets) == 0 {
			return denied(RuleLocalName, host+" is a name of the local network", "an operator can allow the network it is in with --allow-net, such as --allow-net 10.0.0.0/8")
		}
	}
	return nil
}
