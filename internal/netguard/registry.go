package netguard

import "net/netip"

//go:generate go test -run=^TestGeneratedTableIsUpToDate$ -update .

// block is a range of addresses that is not dialled.
type block struct {
	prefix netip.Prefix
	name   string
	source string // the RFC, or who defines it
}

func (b block) String() string { return b.name + " (" + b.source + ")" }

func prefix(text string) netip.Prefix { return netip.MustParsePrefix(text) }

// moreV4 and moreV6 are refused too, but other registries hold them.
var (
	moreV4 = []block{
		{prefix("224.0.0.0/4"), "Multicast", "RFC 5771"},
	}
	moreV6 = []block{
		{prefix("::/96"), "IPv4-compatible, deprecated", "RFC 4291"},
		{prefix("fec0::/10"), "Site-Local, deprecated", "RFC 3879"},
		{prefix("ff00::/8"), "Multicast", "RFC 4291"},
	}
)

// metadata are the addresses where clouds hand out credentials. Wider blocks
// hold most of them, but to allow such a block must not give these away, and
// 168.63.129.16 looks like any public address.
var metadata = []block{
	{prefix("169.254.169.254/32"), "cloud metadata", "AWS, Azure, Google Cloud and others"},
	{prefix("169.254.170.2/32"), "task credentials", "AWS ECS"},
	{prefix("169.254.170.23/32"), "pod credentials", "AWS EKS"},
	{prefix("169.254.42.42/32"), "cloud metadata", "Scaleway"},
	{prefix("100.100.100.200/32"), "cloud metadata", "Alibaba Cloud"},
	{prefix("192.0.0.192/32"), "cloud metadata", "Oracle Cloud"},
	{prefix("168.63.129.16/32"), "platform services", "Azure"},
	{prefix("fd00:ec2::254/128"), "cloud metadata", "AWS"},
	{prefix("fd00:ec2::23/128"), "pod credentials", "AWS EKS"},
	{prefix("fd20:ce::254/128"), "cloud metadata", "Google Cloud"},
	{prefix("fd00:42::42/128"), "cloud metadata", "Scaleway"},
}

// globalUnicast is all that IANA has opened for IPv6 unicast (RFC 3513).
var globalUnicast = prefix("2000::/3")

func find(blocks []block, addr netip.Addr) (block, bool) {
	for _, b := range blocks {
		if b.prefix.Contains(addr) {
			return b, true
		}
	}
	return block{}, false
}

// special finds the most specific block of any table but metadata.
func special(addr netip.Addr) (block, bool) {
	generated, more := specialV6, moreV6
	if addr.Is4() {
		generated, more = specialV4, moreV4
	}
	if b, ok := find(generated, addr); ok {
		return b, true
	}
	return find(more, addr)
}

// Prefixes of IPv6 addresses that wrap an IPv4 address.
var (
	compatible = prefix("::/96")        // RFC 4291 2.5.5.1
	nat64      = prefix("64:ff9b::/96") // RFC 6052
	sixToFour  = prefix("2002::/16")    // RFC 3056
	teredo     = prefix("2001::/32")    // RFC 4380
)

// embedded takes the IPv4 address out of addr. Mapped addresses are not looked for:
// callers unmap first. The local NAT64 block (64:ff9b:1::/48) is not decoded,
// since where the IPv4 address sits depends on the operator's translator.
func embedded(addr netip.Addr) (v4 netip.Addr, ok bool) {
	raw := addr.As16()
	switch {
	case addr.Is4():
		return netip.Addr{}, false
	case compatible.Contains(addr), nat64.Contains(addr):
		return netip.AddrFrom4([4]byte(raw[12:])), true
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(raw[2:])), true
	case teredo.Contains(addr):
		client := [4]byte(raw[12:])
		for i := range client {
			client[i] ^= 0xff // the client's address is sent inverted
		}
		return netip.AddrFrom4(client), true
	}
	return netip.Addr{}, false
}
