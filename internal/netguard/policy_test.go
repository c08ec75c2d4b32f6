package netguard_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/internal/netguard"
)

// TestEverySpecialBlockIsRefused goes by the registries, not by the table made from them:
// first and last address of each block.
func TestEverySpecialBlockIsRefused(t *testing.T) {
	t.Parallel()
	var blocks []netip.Prefix
	for _, name := range []string{"registry/iana-ipv4-special-registry.csv", "registry/iana-ipv6-special-registry.csv"} {
		rows, err := readRegistry(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			blocks = append(blocks, row.prefix)
		}
	}
	if len(blocks) != 26+25 {
		t.Errorf("the registries have %d blocks, want 51", len(blocks))
	}
	for _, more := range []string{"224.0.0.0/4", "::/96", "fec0::/10", "ff00::/8", "168.63.129.16/32", "4000::/2", "8000::/1", "::/3"} {
		blocks = append(blocks, netip.MustParsePrefix(more))
	}
	policy := &netguard.Policy{}
	for _, block := range blocks {
		for _, addr := range []netip.Addr{block.Addr(), lastOf(block)} {
			assertDenied(t, policy.CheckAddr(addr), addr.String())
			if addr.Is4() {
				mapped := netip.AddrFrom16(addr.As16())
				assertDenied(t, policy.CheckAddr(mapped), mapped.String())
			}
		}
	}
}

func lastOf(block netip.Prefix) netip.Addr {
	raw := block.Addr().AsSlice()
	for bit := block.Bits(); bit < len(raw)*8; bit++ {
		raw[bit/8] |= 0x80 >> (bit % 8)
	}
	last, _ := netip.AddrFromSlice(raw)
	return last
}

func TestPublicNeighboursOfSpecialBlocksAreAllowed(t *testing.T) {
	t.Parallel()
	for _, addr := range addrs(
		"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
		"169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0",
		"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "203.0.114.0", "223.255.255.255",
		"168.63.129.15", "168.63.129.17", "2000::", "2001:200::", "2001:db7:ffff::1", "2001:db9::", "2003::", "2620:4f:7fff::1",
		"2620:4f:8001::", "3ffe::1", "3fff:1000::",
	) {
		if err := new(netguard.Policy).CheckAddr(addr); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestAllowedNetsOpenNoMoreThanTheyName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		nets, addr string
		want       netguard.Rule
	}{
		{"10.0.0.0/8", "10.1.2.3", ""},
		{"10.0.0.0/8", "::ffff:10.1.2.3", ""},
		{"10.0.0.0/8", "192.168.0.1", netguard.RuleSpecial},
		{"10.0.0.0/8", "11.0.0.1", ""},
		{"64:ff9b::/96", "64:ff9b::808:808", ""},
		{"64:ff9b::/96", "64:ff9b::a00:1", netguard.RuleEmbedded},
		{"64:ff9b::/96,10.0.0.0/8", "64:ff9b::a00:1", ""},
		{"::/0", "64:ff9b::a9fe:a9fe", netguard.RuleEmbedded},
		{"::/0", "2002:a00:1::1", netguard.RuleEmbedded},
		{"::/0", "2001:0:4136:e378:8000:63bf:f5ff:fffe", netguard.RuleEmbedded}, // 10.0.0.1, inverted
		{"::/0,10.0.0.0/8", "2001:0:4136:e378:8000:63bf:f5ff:fffe", ""},
		{"::/0", "::10.0.0.1", netguard.RuleEmbedded},
		{"::/0", "::1", ""},
		{"::/0", "::", ""},
		{"::/0", "fd00::1", ""},
		{"::/0", "fd00:ec2::254", netguard.RuleMetadata},
		{"fd00:ec2::254", "fd00:ec2::254", ""},
		{"0.0.0.0/0", "127.0.0.1", ""},
		{"0.0.0.0/0", "168.63.129.16", netguard.RuleMetadata},
		{"64:ff9b:1::/48", "64:ff9b:1::a00:1", ""},
		{"fe80::/10", "fe80::1%eth0", netguard.RuleZone},
	}
	for _, test := range tests {
		networks, err := netguard.ParseNets(test.nets)
		if err != nil {
			t.Fatal(err)
		}
		err = (&netguard.Policy{AllowNets: networks}).CheckAddr(netip.MustParseAddr(test.addr))
		if test.want == "" {
			if err != nil {
				t.Errorf("%s with %s: %v", test.addr, test.nets, err)
			}
			continue
		}
		if refusal := assertDenied(t, err, test.addr); refusal.Rule != test.want {
			t.Errorf("%s with %s: rule %s, want %s", test.addr, test.nets, refusal.Rule, test.want)
		}
	}
}

func TestOwnAddressesAreRefusedWhateverIsAllowed(t *testing.T) {
	t.Parallel()
	interfaces := func() ([]netip.Addr, error) { return addrs("10.0.0.5", "2606:4700::5"), nil }
	broken := func() ([]netip.Addr, error) { return nil, errors.New("no permission") }
	tests := []struct {
		listen, target string
		interfaces     func() ([]netip.Addr, error)
		refused        bool
	}{
		{"127.0.0.1:8080", "127.0.0.1:8080", interfaces, true},
		{"127.0.0.1:8080", "[::ffff:127.0.0.1]:8080", interfaces, true},
		{"127.0.0.1:8080", "127.0.0.1:8081", interfaces, false},
		{"127.0.0.1:8080", "127.0.0.2:8080", interfaces, false},
		{"127.0.0.1:8080", "0.0.0.0:8080", interfaces, true},
		{"127.0.0.1:8080", "[::]:8080", interfaces, true},
		{"10.0.0.5:8080", "10.0.0.5:8080", interfaces, true},
		{"0.0.0.0:8080", "10.0.0.5:8080", interfaces, true},
		{"0.0.0.0:8080", "127.9.9.9:8080", interfaces, true},
		{"0.0.0.0:8080", "[::1]:8080", interfaces, true},
		{"[::]:8080", "10.0.0.5:8080", interfaces, true},
		{"[::]:8080", "[2606:4700::5]:8080", interfaces, true},
		{"[::]:8080", "10.0.0.6:8080", interfaces, false},
		{"[::]:8080", "10.0.0.6:8080", broken, true},
		{"[::]:8080", "10.0.0.6:8081", broken, false},
		{"127.0.0.1:8080", "127.0.0.1:9000", interfaces, false},
		{"0.0.0.0:9000", "127.0.0.1:9000", interfaces, false}, // excepted
		{"0.0.0.0:9000", "10.0.0.5:9000", interfaces, true},
	}
	for _, test := range tests {
		policy := &netguard.Policy{
			AllowNets:  []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
			SelfAddrs:  []netip.AddrPort{netip.MustParseAddrPort(test.listen)},
			SelfExcept: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9000")},
			Interfaces: test.interfaces,
		}
		err := policy.CheckAddrPort(netip.MustParseAddrPort(test.target))
		if !test.refused {
			if err != nil {
				t.Errorf("%s while listening on %s: %v", test.target, test.listen, err)
			}
			continue
		}
		if refusal := assertDenied(t, err, test.target); refusal.Rule != netguard.RuleSelf {
			t.Errorf("%s while listening on %s: rule %s", test.target, test.listen, refusal.Rule)
		}
	}
}

func TestOwnInterfacesAreAskedOfTheSystem(t *testing.T) {
	t.Parallel()
	networks, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	policy := &netguard.Policy{
		AllowNets: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
		SelfAddrs: []netip.AddrPort{netip.MustParseAddrPort("[::]:8080")},
	}
	for _, network := range networks {
		addr := netip.MustParsePrefix(network.String()).Addr()
		if refusal := assertDenied(t, policy.CheckAddrPort(netip.AddrPortFrom(addr, 8080)), addr.String()); refusal.Rule != netguard.RuleSelf {
			t.Errorf("%s: rule %s", addr, refusal.Rule)
		}
	}
}

func TestParseNetsTakesPrefixesAndAddresses(t *testing.T) {
	t.Parallel()
	for list, want := range map[string]string{
		"": "", " , ": "", "127.0.0.0/8": "127.0.0.0/8", "127.0.0.0/8, 10.0.0.0/8,::1": "127.0.0.0/8 10.0.0.0/8 ::1/128",
		"10.1.2.3": "10.1.2.3/32", "fd00::/8": "fd00::/8",
		"10.0.0.1/8": "error", "10.0.0.0/33": "error", "localhost": "error", "::ffff:10.0.0.0/104": "error", "::ffff:10.0.0.1": "error",
		"fe80::1%eth0": "error", "10.0.0.0/8;::1": "error",
	} {
		networks, err := netguard.ParseNets(list)
		texts := make([]string, len(networks))
		for i, network := range networks {
			texts[i] = network.String()
		}
		if got := strings.Join(texts, " "); (err != nil) != (want == "error") || err == nil && got != want {
			t.Errorf("%q: %q, %v, want %q", list, got, err, want)
		}
	}
}

func FuzzCheckAddrAllowsOnlyGlobalUnicast(f *testing.F) {
	for _, v := range readVectors(f).Hosts {
		if addr, err := netip.ParseAddr(strings.Trim(v.Host, "[]")); err == nil {
			f.Add(addr.AsSlice())
		}
	}
	policy := &netguard.Policy{}
	f.Fuzz(func(t *testing.T, raw []byte) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok || policy.CheckAddr(addr) != nil {
			return
		}
		if !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.Is4In6() || addr.Is6() && addr.As16()[0]>>5 != 1 {
			t.Errorf("%s is allowed", addr)
		}
	})
}

func BenchmarkCheckAddr(b *testing.B) {
	policy := &netguard.Policy{}
	for name, text := range map[string]string{"public v4": "93.184.216.34", "public v6": "2606:4700:4700::1111"} {
		b.Run(name, func(b *testing.B) {
			target := netip.AddrPortFrom(netip.MustParseAddr(text), 443)
			b.ReportAllocs()
			for b.Loop() {
				if err := policy.CheckAddrPort(target); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("refused", func(b *testing.B) {
		target := netip.MustParseAddr("10.0.0.1")
		b.ReportAllocs()
		for b.Loop() {
			if policy.CheckAddr(target) == nil {
				b.Fatal("allowed")
			}
		}
	})
}
