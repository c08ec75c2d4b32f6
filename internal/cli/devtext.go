package cli

import (
	"fmt"
	"strings"
)

// startText shows what is there and what to try; mode says how it runs, stop how
// it ends.
func (d *devRun) startText(state devState, mode, stop string) {
	p := d.paintFor(d.color, d.OutTerminal)
	var b strings.Builder
	fmt.Fprintf(&b, "  %s   %s\n", p.strong("grapnel "+version), mode)
	for _, note := range d.notes {
		fmt.Fprintf(&b, "  %s %s\n", p.wait("!"), note)
	}
	b.WriteByte('\n')
	for _, row := range [][3]string{
		{"Dashboard", d.link, ""},
		{"", "", d.linkNote()},
		{"API", state.URL + "/api/v1", "docs at /api/docs"},
		{"Receiver", state.ReceiverURL, "answers as its path says:"},
		{"", "", receiverPaths},
		{"API key", d.cfg.APIKey.Reveal(), ""},
		{"", "", state.ProfileNote},
	} {
		line := fmt.Sprintf("  %s  %-32s  %s", p.quiet(fmt.Sprintf("%-9s", row[0])), row[1], p.quiet(row[2]))
		if row[0] == "Dashboard" && row[1] == "" || row == [3]string{} {
			continue
		}
		if row[1] == "" {
			line = fmt.Sprintf("  %-9s  %s", "", p.quiet(row[2]))
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	b.WriteByte('\n')
	firstText(&b, p, state.First)
	b.WriteByte('\n')
	d.tryText(&b, p, state)
	fmt.Fprintf(&b, "\n  %s `rm -r %s` forgets everything.\n", stop, strings.TrimPrefix(showFolder(state.Folder), "./"))
	_, _ = d.Out.Write([]byte(b.String())) // who reads it has gone; the server runs on
}

// firstText shows what came of the first webhook.
func firstText(b *strings.Builder, p paint, first firstWebhook) {
	if first.Problem != "" {
		fmt.Fprintf(b, "  %s first webhook not delivered   %s\n    %s\n", p.bad(), printable(first.Problem), first.Message)
		return
	}
	t := table{}
	t.add(p.good()+" first webhook delivered", demoType+" → built-in receiver", fmt.Sprintf("%d in %s", first.Status, milliseconds(first.Millis)))
	t.add("  signature verified", "Standard Webhooks v1")
	t.add("  message", first.Message)
	_ = t.write(b, "  ") // a strings.Builder takes everything
}

// tryText shows commands that run as they are printed.
func (d *devRun) tryText(b *strings.Builder, p paint, state devState) {
	program, try := thisProgram(), "Try"
	if !d.saved {
		fmt.Fprintf(b, "  %s  export GRAPNEL_SERVER=%s GRAPNEL_API_KEY=%s\n", try, state.URL, d.cfg.APIKey.Reveal())
		try = "   "
	}
	t := table{}
	t.add(try, program+` send user.created -d '{"id":42}' --wait`, p.quiet("send one"))
	t.add("", program+" send "+demoTypeTwo+" --wait", p.quiet("see a retry"))
	t.add("", program+" catch", p.quiet("receive at a new URL"))
	t.add("", "curl "+state.URL+"/api/openapi.json", p.quiet("every route"))
	_ = t.write(b, "  ")
}
