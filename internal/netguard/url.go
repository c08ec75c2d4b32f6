package netguard

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxURLLen is the longest URL that [Policy.CheckURL] takes, in bytes.
const MaxURLLen = 4096

// Target is a URL that the policy lets be saved.
type Target struct {
	// URL is what to save and to request: host in lower case and in ASCII
	// (punycode), no userinfo, no port if it is the scheme's own, and path and
	// query as they were given.
	URL *url.URL
	// User is the userinfo that was in the URL, or nil. It is a credential: seal
	// it, and send it as basic authorization.
	User *url.Userinfo
	// Host is the name or address alone, without brackets.
	Host string
	// Port is the port, 443 or 80 if the URL names none.
	Port uint16
	// Addr is valid if Host is an address.
	Addr netip.Addr
}

// CheckURL decides about a URL by its form, and by its address if it has one
// instead of a name. It does no I/O beyond listing the machine's own addresses (see
// SelfAddrs). The error is a [*Denied].
//
// With AllowNets, a name may turn out to lead to an allowed network, where any
// port goes and short names are common: its port and its being local are then left
// to the [Dialer].
func (p *Policy) CheckURL(raw string) (Target, error) {
	target, refusal := p.readURL(raw)
	if refusal != nil {
		return Target{}, refusal
	}
	return target, nil
}

func (p *Policy) readURL(raw string) (Target, *Denied) {
	if refusal := checkText(raw); refusal != nil {
		return Target{}, refusal
	}
	u, err := url.Parse(raw)
	if err != nil {
		// The parser's own error repeats the URL, and with it any password.
		return Target{}, denied(RuleForm, "the URL cannot be read", "write it like https://example.com/path")
	}
	if refusal := p.checkScheme(u); refusal != nil {
		return Target{}, refusal
	}
	if refusal := checkAuthority(raw, u); refusal != nil {
		return Target{}, refusal
	}
	host, addr, refusal := checkHost(u.Hostname(), strings.HasPrefix(u.Host, "["))
	if refusal != nil {
		return Target{}, refusal
	}
	port, refusal := portOf(u)
	if refusal != nil {
		return Target{}, refusal
	}
	if refusal := p.refuseTarget(host, addr, port); refusal != nil {
		return Target{}, refusal
	}
	target := newTarget(u, host, addr, port)
	// Escaping may have made it longer; what is stored must pass again.
	return target, checkLength(target.URL.String())
}

func newTarget(u *url.URL, host string, addr netip.Addr, port uint16) Target {
	target := Target{URL: u, User: u.User, Host: host, Port: port, Addr: addr}
	if name := target.User.Username(); name == "" {
		if password, _ := target.User.Password(); password == "" {
			target.User = nil
		}
	}
	u.User = nil
	u.Host = host
	if addr.Is6() {
		u.Host = "[" + host + "]"
	}
	if u.Scheme == "https" && port != 443 || u.Scheme == "http" && port != 80 {
		u.Host += ":" + strconv.Itoa(int(port))
	}
	return target
}

func (p *Policy) refuseTarget(host string, addr netip.Addr, port uint16) *Denied {
	if addr.IsValid() {
		return p.refuseAddrPort(netip.AddrPortFrom(addr, port))
	}
	if refusal := p.refuseName(host); refusal != nil {
		return refusal
	}
	if isLoopbackName(host) {
		// Where it leads is known without asking: refuse what would never work.
		return p.refuseAll(host, loopbackAddrs, port)
	}
	if len(p.AllowNets) > 0 {
		return nil
	}
	return p.refusePort(port)
}

// refuseAll returns the first refusal if every address is refused.
func (p *Policy) refuseAll(host string, addrs []netip.Addr, port uint16) *Denied {
	var first *Denied
	for _, addr := range addrs {
		refusal := p.refuseAddrPort(netip.AddrPortFrom(addr, port))
		if refusal == nil {
			return nil
		}
		if first == nil {
			first = refusal.forName(host)
		}
	}
	return first
}

func checkLength(text string) *Denied {
	switch {
	case text == "":
		return denied(RuleLength, "the URL is empty", "")
	case len(text) > MaxURLLen:
		return denied(RuleLength, "the URL has "+strconv.Itoa(len(text))+" bytes, "+strconv.Itoa(MaxURLLen)+" are allowed", "")
	}
	return nil
}

// checkText refuses what parsers disagree about before any parser sees it.
func checkText(raw string) *Denied {
	if refusal := checkLength(raw); refusal != nil {
		return refusal
	}
	switch {
	case !utf8.ValidString(raw):
		return denied(RuleCharacter, "the URL is not valid UTF-8", "")
	case strings.Contains(raw, "#"):
		return denied(RuleFragment, "the URL has a fragment (#), which is never sent", "leave it out, or write %23 for the character")
	}
	for _, r := range raw {
		if r == '\\' || unicode.In(r, unicode.C, unicode.Z) {
			return denied(RuleCharacter, "the URL holds "+strconv.QuoteRuneToASCII(r), "percent-encode it in path and query; a host cannot have it")
		}
	}
	return nil
}

func (p *Policy) checkScheme(u *url.URL) *Denied {
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && p.AllowHTTP:
	case u.Scheme == "http":
		return denied(RulePlainHTTP, "plain http is not allowed", "use https, or let an operator allow it with --allow-http")
	default:
		return denied(RuleScheme, "the scheme must be https", "write the URL like https://example.com/path")
	}
	if u.Opaque != "" || u.Host == "" {
		return denied(RuleForm, "the URL has no host", "write it like https://example.com/path")
	}
	return nil
}

// checkAuthority looks at what stands between // and the path, as it was written.
func checkAuthority(raw string, u *url.URL) *Denied {
	_, authority, _ := strings.Cut(raw, "//")
	if end := strings.IndexAny(authority, "/?"); end >= 0 {
		authority = authority[:end]
	}
	at := strings.LastIndex(authority, "@")
	host := authority[at+1:]
	switch {
	case strings.Count(authority, "@") > 1:
		return denied(RuleUserinfo, "the URL has more than one @ before the path", "write %40 for the character in a user name or password")
	case strings.HasPrefix(host, "[") && strings.Contains(host, "%"):
		return denied(RuleZone, "the address is given with a zone", "leave the zone out")
	case strings.Contains(host, "%"):
		return denied(RuleHost, "the host is percent-encoded", "write the host as it is")
	case u.Hostname() == "":
		return denied(RuleForm, "the URL has no host", "write it like https://example.com/path")
	}
	return nil
}

func portOf(u *url.URL) (uint16, *Denied) {
	switch text := u.Port(); {
	case text != "":
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			return 0, denied(RulePort, "the port must be 1 to 65535", "")
		}
		return uint16(port), nil
	case u.Scheme == "http":
		return 80, nil
	}
	return 443, nil
}
