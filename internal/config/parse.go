package config

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	minKeyLength, maxKeyLength = 16, 128
	masterKeyLength            = 32 // bytes
	maxScheduleSteps           = 50
	maxStep                    = 30 * day
	maxDuration                = 100 * 365 * day
)

func setAddress(to *string, v string) error {
	host, port, err := net.SplitHostPort(v)
	if err == nil && host != "" && host != "localhost" {
		_, err = netip.ParseAddr(host)
	}
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return &badValue{"is not an address to listen on", "Write HOST:PORT with an IP address of this machine, such as 127.0.0.1:8080 or :8080."}
	}
	*to = v
	return nil
}

func setMetricsListen(c *Config, v string) error {
	if v == "off" {
		c.MetricsListen = ""
		return nil
	}
	return setAddress(&c.MetricsListen, v)
}

func setDB(to *string, v string) error {
	if isPostgres(v) {
		return setPostgres(to, v)
	}
	path, ok := strings.CutPrefix(v, sqliteScheme)
	if !ok || path == "" || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "?#\x00") {
		return &badValue{"is not a database address: neither sqlite:PATH nor postgres://…", "Write the path of a file, such as sqlite:/var/lib/grapnel/grapnel.db, or a URL such as postgres://USER:PASSWORD@HOST/DATABASE."}
	}
	*to = v
	return nil
}

func isPostgres(v string) bool {
	return strings.HasPrefix(v, "postgres://") || strings.HasPrefix(v, "postgresql://")
}

func setPostgres(to *string, v string) error {
	u, err := url.Parse(v)
	if err != nil || !isPostgres(v) || u.Host == "" && !u.Query().Has("host") || u.Fragment != "" {
		return &badValue{"is not the URL of a PostgreSQL database", "Write postgres://USER:PASSWORD@HOST/DATABASE, with special characters in percent form."}
	}
	*to = v
	return nil
}

// showDB gives a database address without passwords.
func showDB(v string) string {
	u, err := url.Parse(v)
	if err != nil || !isPostgres(v) {
		return v
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, stars)
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}

func setWord[T ~string](to *T, v string, words ...T) error {
	if slices.Contains(words, T(v)) {
		*to = T(v)
		return nil
	}
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	fix := "Write one of " + strings.Join(texts, ", ") + "."
	if near := Nearest(v, texts); near != "" {
		fix = "Did you mean " + near + "?"
	}
	return &badValue{"is not one of " + strings.Join(texts, ", "), fix}
}

func setBool(to *bool, v string) error {
	switch v {
	case "true", "1":
		*to = true
	case "false", "0":
		*to = false
	default:
		return &badValue{"is neither true nor false", "Write true or false."}
	}
	return nil
}

func setInt(to *int, v string, low, high int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		return &badValue{fmt.Sprintf("is not a whole number from %d to %d", low, high), "Write a number in that range."}
	}
	*to = n
	return nil
}

func setSize(to *Size, v string, low, high Size) error {
	n, err := ParseSize(v)
	if err != nil {
		return err
	}
	if n < low || n > high {
		return &badValue{fmt.Sprintf("is not from %s to %s", low, high), "Write a size in that range."}
	}
	*to = n
	return nil
}

func setDuration(to *time.Duration, v string, low, high time.Duration) error {
	d, err := ParseDuration(v)
	if err != nil {
		return err
	}
	if d < low || d > high {
		return &badValue{fmt.Sprintf("is not from %s to %s", FormatDuration(low), FormatDuration(high)), "Write a duration in that range."}
	}
	*to = d
	return nil
}

// setLongOrOff reads a duration where 0 and "off" mean never.
func setLongOrOff(to *time.Duration, v string) error {
	if v == "off" || v == "0" {
		*to = 0
		return nil
	}
	return setDuration(to, v, time.Second, maxDuration)
}

// setKeep reads a retention, where 0 and "forever" mean that nothing is removed.
func setKeep(to *time.Duration, v string) error {
	if v == "forever" || v == "0" {
		*to = 0
		return nil
	}
	return setDuration(to, v, time.Second, maxDuration)
}

func setSchedule(to *[]time.Duration, v string) error {
	*to = []time.Duration{}
	if v == "none" {
		return nil
	}
	for _, part := range list(v) {
		var step time.Duration
		if err := setDuration(&step, part, time.Millisecond, maxStep); err != nil {
			return atPart(part, err)
		}
		*to = append(*to, step)
	}
	if len(*to) == 0 || len(*to) > maxScheduleSteps {
		return &badValue{fmt.Sprintf("is not a list of 1 to %d waits", maxScheduleSteps), "Write waits such as 5s,5m,30m, or none for no retries."}
	}
	return nil
}

func setNets(to *[]netip.Prefix, v string) error {
	*to = []netip.Prefix{}
	for _, part := range list(v) {
		if a, err := netip.ParseAddr(part); err == nil && a.Zone() == "" {
			*to = append(*to, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return atPart(part, &badValue{"is not a network", "Write networks such as 10.0.0.0/8 or fd00::/8."})
		}
		if p != p.Masked() {
			return atPart(part, &badValue{"has bits set behind its mask", "Did you mean " + p.Masked().String() + "?"})
		}
		*to = append(*to, p)
	}
	return nil
}

func setPorts(to *[]uint16, v string) error {
	*to = []uint16{}
	for _, part := range list(v) {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil || n == 0 {
			return atPart(part, &badValue{"is not a port", "Write numbers from 1 to 65535, separated by commas."})
		}
		*to = append(*to, uint16(n))
	}
	if len(*to) == 0 {
		return &badValue{"names no port", "Write at least one, such as 443."}
	}
	return nil
}

func setPublicURL(to **url.URL, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil ||
		u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return &badValue{"is not a public address", "Write a URL such as https://hooks.example.com or https://example.com/hooks, without query and password."}
	}
	u.Path = strings.TrimRight(u.Path, "/")
	*to = u
	return nil
}

func setProxy(to **url.URL, v string) error {
	u, err := url.Parse(v)
	if err != nil || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) || u.Hostname() == "" ||
		u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return &badValue{"is not a proxy's address", "Write a URL such as http://proxy.example.com:3128 or socks5://127.0.0.1:1080."}
	}
	*to = u
	return nil
}

func setAPIKey(to *Secret, v string) error {
	printable := !strings.ContainsFunc(v, func(r rune) bool { return r < '!' || r > '~' })
	if len(v) < minKeyLength || len(v) > maxKeyLength || !printable {
		return &badValue{"does not hold a key of 16 to 128 printable characters without spaces", "Make one with: openssl rand -base64 32"}
	}
	if isPlaceholder(v) {
		return &badValue{"holds a placeholder, which everybody knows", "Make a key with: openssl rand -base64 32"}
	}
	*to = Secret(v)
	return nil
}

// isPlaceholder recognises texts that examples use in place of a secret.
func isPlaceholder(v string) bool {
	low := strings.ToLower(v)
	for _, start := range []string{"changeme", "change-me", "change_me", "your-", "your_", "yourapikey", "placeholder", "replace-me", "replace_me", "<"} {
		if strings.HasPrefix(low, start) {
			return true
		}
	}
	return strings.Count(v, v[:1]) == len(v)
}

// setMasterKey takes one key or several, parted by white space or commas: the
// first seals, the others open what they have sealed before.
func setMasterKey(to *Secret, v string) error {
	words := strings.FieldsFunc(v, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
	if len(words) == 0 {
		words = []string{""}
	}
	for _, word := range words {
		b, err := base64.StdEncoding.DecodeString(word)
		if err != nil || len(b) != masterKeyLength {
			return &badValue{"does not hold 32 bytes in base64", "Make a key with: openssl rand -base64 32"}
		}
		if strings.Count(string(b), string(b[:1])) == len(b) {
			return &badValue{"holds a placeholder, which everybody knows", "Make a key with: openssl rand -base64 32"}
		}
	}
	*to = Secret(v)
	return nil
}

// list splits at commas; spaces around the parts do not count.
func list(v string) []string {
	if strings.TrimSpace(v) == "" {
		return nil
	}
	parts := strings.Split(v, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// atPart says which part of a list is wrong.
func atPart(part string, err error) error {
	if bad, ok := err.(*badValue); ok { //nolint:errorlint // setters return it unwrapped
		return &badValue{"cannot be used: " + quote(part) + " " + bad.what, bad.fix}
	}
	return err
}

func join[T any](items []T) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprint(item)
	}
	return strings.Join(texts, ",")
}

func orOff(v string) string {
	if v == "" {
		return "off"
	}
	return v
}

func showURL(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Redacted()
}

func showBool(v bool) string { return strconv.FormatBool(v) }

func showInt(v int) string { return strconv.Itoa(v) }

func showLong(d time.Duration, zero string) string {
	if d == 0 {
		return zero
	}
	return FormatDuration(d)
}

func showSchedule(steps []time.Duration) string {
	if len(steps) == 0 {
		return "none"
	}
	texts := make([]string, len(steps))
	for i, s := range steps {
		texts[i] = FormatDuration(s)
	}
	return strings.Join(texts, ",")
}
