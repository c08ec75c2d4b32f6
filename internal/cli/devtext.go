package cli

import (
	"fmt"
	"strings"
)

// startText shows what is there and what to try.
func (d *devRun) startText(state devState, mode string) {
	p := d.paintFor(d.color, d.OutTerminal)
	var b strings.Builder
	fmt.Fprintf(&b, "  %s   %s\n", p.strong("grapnel "+version), mode)
	for _, note := range d.notes {
		fmt.Fprintf(&b, "  %s %s\n", p.wait("!"), note)
	}
	b.WriteByte('\n')
	for _, row := range [][3]string{
		{"API", state.URL + "/api/v1", "docs at /api/docs"},
		{"Receiver", state.ReceiverURL, "answers as its path says:"},
		{"", "", receiverPaths},
		{"API key", d.cfg.APIKey.Reveal(), ""},
		{"", "", state.ProfileNote},
	} {
		line := fmt.Sprintf("  %s  %-32s  %s", p.quiet(fmt.Sprintf("%-8s", row[0])), row[1], p.quiet(row[2]))
		if row[1] == "" {
			line = fmt.Sprintf("  %-8s  %s", "", p.quiet(row[2]))
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	b.WriteByte('\n')
	d.firstText(&b, p, state.First)
	b.WriteByte('\n')
	t := table{}
	t.add("Try", `grapnel send user.created -d '{"id":42}' --wait`, p.quiet("send one yourself"))
	t.add("", "grapnel send demo.flaky --wait", p.quiet("one that fails, then heals"))
	t.add("", "curl "+state.URL+"/api/openapi.json", p.quiet("every route"))
	_ = t.write(&b, "  ") // a strings.Builder takes everything
	fmt.Fprintf(&b, "\n  ^C stops. `rm -r %s` forgets everything.\n", strings.TrimPrefix(showFolder(state.Folder), "./"))
	_, _ = d.Out.Write([]byte(b.String())) // who reads it has gone; the server runs on
}

func (d *devRun) firstText(b *strings.Builder, p paint, first firstWebhook) {
	if first.Problem != "" {
		fmt.Fprintf(b, "  %s first webhook not delivered   %s\n    %s\n", p.bad(), printable(first.Problem), first.Message)
		return
	}
	fmt.Fprintf(b, "  %s first webhook delivered   user.created → built-in receiver   %d in %s\n", p.good(), first.Status, milliseconds(first.Millis))
	fmt.Fprintf(b, "    signature verified (Standard Webhooks v1)   %s\n", first.Message)
}
