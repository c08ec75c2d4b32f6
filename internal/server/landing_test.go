//go:build noui

package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
)

func TestLandingIsAPageForBrowsersWhereThereIsNoDashboard(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	_, header, page := get(t, n.URL()+"/", "Accept", "text/html")
	for _, place := range []string{"/api/v1", "/ingest/api/v1"} {
		if !strings.Contains(page, ">"+n.URL()+place+"<") {
			t.Errorf("the landing does not name %s:\n%s", place, page)
		}
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	if style == nil {
		t.Fatalf("no style in %s", page)
	}
	sum := sha256.Sum256([]byte(style[1]))
	if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("the policy %q does not allow the page's own style", policy)
	}
	if status, _, _ := get(t, n.URL()+"/messages", "Accept", "text/html"); status != 404 {
		t.Errorf("/messages: %d, want 404", status)
	}
}
