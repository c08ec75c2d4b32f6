package netguard_test

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/netguard"
)

type urlRule struct {
	url    string
	policy *netguard.Policy
	want   netguard.Rule // empty: allowed
}

func allowing(t *testing.T, list string) *netguard.Policy {
	t.Helper()
	networks, err := netguard.ParseNets(list)
	if err != nil {
		t.Fatal(err)
	}
	return &netguard.Policy{AllowNets: networks}
}

// urlsByForm are decided by how they are written.
func urlsByForm() []urlRule {
	strict, http := &netguard.Policy{}, &netguard.Policy{AllowHTTP: true}
	return []urlRule{
		{"", strict, netguard.RuleLength},
		{"https://example.com/" + strings.Repeat("a", netguard.MaxURLLen-20), strict, ""},
		{"https://example.com/" + strings.Repeat("a", netguard.MaxURLLen-19), strict, netguard.RuleLength},
		{"https://example.com/" + strings.Repeat("ä", 1000), strict, netguard.RuleLength}, // 6,000 bytes when escaped
		{"https://example.com/a b", strict, netguard.RuleCharacter},
		{" https://example.com/", strict, netguard.RuleCharacter},
		{"https://example.com/\u202egpj.exe", strict, netguard.RuleCharacter},
		{"https://exam\u200dple.com/", strict, netguard.RuleCharacter},
		{"https://example.com/\xff", strict, netguard.RuleCharacter},
		{"https://example.com\\", strict, netguard.RuleCharacter},
		{"https://example.com/%zz", strict, netguard.RuleForm},
		{"https://", strict, netguard.RuleForm},
		{"https://:443/", strict, netguard.RuleForm},
		{"https:example.com", strict, netguard.RuleForm},
		{"example.com", strict, netguard.RuleScheme},
		{"wss://example.com", strict, netguard.RuleScheme},
		{"http://example.com/", strict, netguard.RulePlainHTTP},
		{"http://example.com/", http, ""},
		{"https://a@b@example.com/", strict, netguard.RuleUserinfo},
		{"https://example.com@127.0.0.1/", strict, netguard.RuleSpecial},
		{"https://example.com/#", strict, netguard.RuleFragment},
		{"https://ex%61mple.com/", strict, netguard.RuleForm},
		{"https://b%C3%BCcher.example/", strict, netguard.RuleHost},
		{"https://exa!mple.com/", strict, netguard.RuleHost},
		{"https://-a.example/", strict, netguard.RuleHost},
		{"https://a..example/", strict, netguard.RuleHost},
		{"https://a.example../", strict, netguard.RuleHost},
		{"https://./", strict, netguard.RuleHost},
		{"https://" + strings.Repeat("a", 64) + ".example/", strict, netguard.RuleHost},
		{"https://" + strings.Repeat("a", 63) + ".example/", strict, ""},
		{"https://my_service.example/", strict, ""},
		{"https://r3---sn-4g5e.example/", strict, ""},
		{"https://127.0.0.1.example/", strict, ""},
		{"https://127.0.0.1./", strict, netguard.RuleAddressForm},
		{"https://1.2.3.4.5/", strict, netguard.RuleAddressForm},
		{"https://example.0x/", strict, netguard.RuleAddressForm},
		{"https://08.8.8.8/", strict, netguard.RuleAddressForm},
		{"https://８.8.8.8/", strict, netguard.RuleAddressForm},
		{"https://[8.8.8.8]/", strict, netguard.RuleForm},
		{"https://[::ffff:8.8.8.8]/", strict, netguard.RuleEmbedded},
		{"https://[2606:4700::1%25eth0]/", strict, netguard.RuleZone},
	}
}

// urlsByTarget are decided by where they lead.
func urlsByTarget(t *testing.T) []urlRule {
	t.Helper()
	nets := func(list string) *netguard.Policy { return allowing(t, list) }
	strict, http := &netguard.Policy{}, &netguard.Policy{AllowHTTP: true}
	self := nets("127.0.0.0/8,10.0.0.0/8")
	self.SelfAddrs = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:8080")}
	return []urlRule{
		{"https://localhost/", strict, netguard.RuleLocalName},
		{"https://localhost:3000/", nets("127.0.0.0/8"), ""},
		{"https://api.localhost:3000/", nets("::1"), ""},
		{"https://localhost/", nets("10.0.0.0/8"), netguard.RuleLocalName},
		{"https://127.0.0.1:3000/", nets("127.0.0.0/8"), ""},
		{"https://[::ffff:127.0.0.1]:3000/", nets("127.0.0.0/8"), ""},
		{"https://receiver/", strict, netguard.RuleLocalName},
		{"https://receiver:9000/", nets("10.0.0.0/8"), ""},
		{"https://a.lan/", strict, netguard.RuleLocalName},
		{"https://lan/", strict, netguard.RuleLocalName},
		{"https://grafana.internal/", strict, netguard.RuleLocalName},
		{"https://host.docker.internal:3000/", nets("10.0.0.0/8"), ""},
		{"https://metadata.google.internal/", nets("0.0.0.0/0"), netguard.RuleMetadata},
		{"https://METADATA.google.internal./", strict, netguard.RuleMetadata},
		{"https://169.254.169.254/", nets("169.254.0.0/16"), netguard.RuleMetadata},
		{"https://169.254.169.254/", nets("169.254.169.254"), ""},
		{"https://example.com:22/", strict, netguard.RulePort},
		{"https://example.com:80/", strict, netguard.RulePort},
		{"https://example.com:80/", http, ""},
		{"https://example.com:22/", &netguard.Policy{AllowPorts: []uint16{22}}, ""},
		{"https://example.com/", &netguard.Policy{AllowPorts: []uint16{22}}, netguard.RulePort},
		{"https://8.8.8.8:22/", nets("10.0.0.0/8"), netguard.RulePort},
		{"https://10.1.2.3:22/", nets("10.0.0.0/8"), ""},
		{"https://127.0.0.1:8080/", self, netguard.RuleSelf},
		{"https://localhost:8080/", self, netguard.RuleSelf},
		{"https://127.0.0.1:8081/", self, ""},
		{"https://[fec0::1]/", strict, netguard.RuleSpecial},
		{"https://[4000::1]/", strict, netguard.RuleUnallocated},
		{"https://[2002:808:808::1]/", strict, netguard.RuleEmbedded},
	}
}

func TestCheckURLNamesTheRule(t *testing.T) {
	t.Parallel()
	tests := append(urlsByForm(), urlsByTarget(t)...)
	for _, test := range tests {
		_, err := test.policy.CheckURL(test.url)
		if test.want == "" {
			if err != nil {
				t.Errorf("%.80q: %v", test.url, err)
			}
			continue
		}
		if refusal := assertDenied(t, err, test.url); refusal.Rule != test.want {
			t.Errorf("%.80q: rule %s, want %s", test.url, refusal.Rule, test.want)
		}
	}
	assertEveryRuleIsTested(t, func(seen func(netguard.Rule)) {
		for _, test := range tests {
			seen(test.want)
		}
	})
}

func assertEveryRuleIsTested(t *testing.T, each func(func(netguard.Rule))) {
	t.Helper()
	tested := map[netguard.Rule]bool{}
	each(func(rule netguard.Rule) { tested[rule] = true })
	for _, rule := range netguard.Rules() {
		if !tested[rule] {
			t.Errorf("no URL tests rule %s", rule)
		}
	}
}

func TestCheckURLGivesTheFormThatIsStored(t *testing.T) {
	t.Parallel()
	tests := []struct{ url, want, host, user string }{
		{"https://example.com", "https://example.com", "example.com", ""},
		{"HTTPS://EXAMPLE.com./Path", "https://example.com/Path", "example.com", ""},
		{"https://bücher.example/ä?ö=ü", "https://xn--bcher-kva.example/%C3%A4?ö=ü", "xn--bcher-kva.example", ""},
		{"https://раураl.example/", "https://xn--l-7sba6dbr.example/", "xn--l-7sba6dbr.example", ""},
		{"https://example.com:443/", "https://example.com/", "example.com", ""},
		{"https://example.com:/", "https://example.com/", "example.com", ""},
		{"https://example.com:08443/a%2Fb/?x=%0d%0a&&y", "https://example.com:8443/a%2Fb/?x=%0d%0a&&y", "example.com", ""},
		{"https://[2606:4700:4700:0::1111]:8443/h", "https://[2606:4700:4700::1111]:8443/h", "2606:4700:4700::1111", ""},
		{"https://user:p%40ss@example.com/h", "https://example.com/h", "example.com", "user:p%40ss"},
		{"https://token@example.com/h", "https://example.com/h", "example.com", "token"},
		{"https://:@example.com/h", "https://example.com/h", "example.com", ""},
		{"https://@example.com/h", "https://example.com/h", "example.com", ""},
	}
	for _, test := range tests {
		target, err := new(netguard.Policy).CheckURL(test.url)
		if err != nil {
			t.Errorf("%s: %v", test.url, err)
			continue
		}
		user := ""
		if target.User != nil {
			user = target.User.String()
		}
		if got := target.URL.String(); got != test.want || target.Host != test.host || user != test.user {
			t.Errorf("%s: got %s, host %s, user %q", test.url, got, target.Host, user)
		}
	}
}

func TestRefusalsSayHowToAllow(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"http://example.com/":    "--allow-http",
		"https://example.com:22": "--allow-ports 443,8443,22",
		"https://10.1.2.3/":      "--allow-net 10.0.0.0/8",
		"https://[fd00::1]/":     "--allow-net fc00::/7",
		"https://localhost/":     "--allow-net 127.0.0.0/8",
		"https://db/":            "--allow-net",
	} {
		_, err := new(netguard.Policy).CheckURL(raw)
		if refusal := assertDenied(t, err, raw); !strings.Contains(refusal.Hint, want) {
			t.Errorf("%s: hint %q, want %q in it", raw, refusal.Hint, want)
		}
	}
}

func TestRefusalsDoNotShowCredentials(t *testing.T) {
	t.Parallel()
	for _, rest := range []string{"example.com:22/tok3n", "10.0.0.1/tok3n", "exa mple.com", "[::1/", "%31.com/", "a@b.com/", "x.com/%zz", "x.com/#tok3n", "db/?tok3n"} {
		raw := "https://user:passw0rd@" + rest
		_, err := new(netguard.Policy).CheckURL(raw)
		refusal := assertDenied(t, err, raw)
		for _, secret := range []string{"passw0rd", "tok3n", "user:"} {
			if strings.Contains(refusal.Error()+refusal.Hint, secret) {
				t.Errorf("%s: the refusal shows %s: %v", raw, secret, refusal)
			}
		}
	}
}

func FuzzCheckURLIsStable(f *testing.F) {
	vectors := readVectors(f)
	for _, v := range vectors.URLs {
		f.Add(v.URL)
	}
	for _, v := range vectors.Hosts {
		f.Add("https://" + v.Host + "/")
	}
	f.Add("https://user:pass@[2606::1]:8443/a?b")
	policy := &netguard.Policy{}
	f.Fuzz(func(t *testing.T, raw string) {
		target, err := policy.CheckURL(raw)
		if err != nil {
			assertDenied(t, err, raw)
			return
		}
		stored := target.URL.String()
		again, err := policy.CheckURL(stored)
		if err != nil {
			t.Fatalf("%q is allowed, its stored form %q is not: %v", raw, stored, err)
		}
		if again.URL.String() != stored || again.Host != target.Host || again.Port != target.Port || again.User != nil {
			t.Fatalf("%q is stored as %q, and that as %q", raw, stored, again.URL)
		}
		// Another parser must not see another host.
		reparsed, err := url.Parse(stored)
		if err != nil || reparsed.Hostname() != target.Host || strings.ContainsAny(target.Host, "@/\\%# \t") {
			t.Fatalf("%q: stored %q, host %q, %v", raw, stored, target.Host, err)
		}
		if target.Addr.IsValid() && policy.CheckAddr(target.Addr) != nil {
			t.Fatalf("%q: leads to %s", raw, target.Addr)
		}
	})
}

func BenchmarkCheckURL(b *testing.B) {
	policy := &netguard.Policy{}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.CheckURL("https://hooks.example.com/v1/in?token=abc"); err != nil {
			b.Fatal(err)
		}
	}
}
