package provider_test

import (
	"strings"
	"testing"

	"github.com/grapnelhq/grapnel/provider"
)

func BenchmarkVerify(b *testing.B) {
	for _, name := range []string{"stripe", "github", "standard-webhooks"} {
		for size, filler := range map[string]int{"1KB": 1000, "20KB": 20000} {
			b.Run(name+"/"+size, func(b *testing.B) {
				p, _ := provider.Find(name)
				v := newVerifier(b, name, provider.Settings{}, kitOf(p).secret)
				r := provider.Request{Method: "POST", URL: signedURL, Body: []byte(`{"id":"evt_1","data":["` + strings.Repeat("x", filler) + `"],"type":"made"}`)}
				if err := v.Sign(&r, "msg_1", signingTime); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(r.Body)))
				b.ReportAllocs()
				for b.Loop() {
					if !v.Verify(b.Context(), r, signingTime).OK() {
						b.Fatal("refused")
					}
				}
			})
		}
	}
}
