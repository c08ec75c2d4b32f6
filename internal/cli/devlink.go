package cli

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/grapnelhq/grapnel/apitype"
	"github.com/grapnelhq/grapnel/client"
)

// devOwner is the e-mail address of the member that grapnel dev makes.
const devOwner = "dev@localhost"

// dashboard finds the link to the dashboard.
func (d *devRun) dashboard(ctx context.Context, server string) {
	link, err := d.dashboardLink(ctx, server)
	if err != nil {
		d.notes = append(d.notes, "There is no link to the dashboard: "+err.Error())
	}
	d.link = link
}

func (d *devRun) linkNote() string {
	if d.link == "" {
		return ""
	}
	return "opens signed in, once, within 10 minutes"
}

// dashboardLink makes a link that opens the dashboard signed in. It is good once; it
// comes by the key of the folder, so a second `grapnel dev` there gets one too.
func (d *devRun) dashboardLink(ctx context.Context, server string) (string, error) {
	c, err := client.New(server, d.cfg.APIKey.Reveal(), client.WithUserAgent("grapnel-dev/"+version))
	if err != nil {
		return "", err
	}
	members, err := c.ListMembers(ctx, client.ListOptions{Limit: 250})
	if err != nil {
		return "", err
	}
	for _, m := range members.Data {
		if m.Role == apitype.RoleOwner {
			link, err := c.CreateMemberLink(ctx, m.ID, apitype.MemberLinkIn{Kind: apitype.Some("signin")})
			return link.URL, err
		}
	}
	return "", nil
}

// openerWait bounds the program that hands a link to the browser; the browser itself
// goes on without it.
const openerWait = 3 * time.Second

// openBrowser hands a link to the browser of this desktop, if there is a terminal and
// a desktop. Nothing depends on it: the link is printed as well.
func (d *devRun) openBrowser(ctx context.Context, link string) {
	if u, err := url.Parse(link); err != nil || u.Host == "" || !d.OutTerminal || os.Getenv("CI") != "" {
		return
	}
	program, args := opener(runtime.GOOS, os.Getenv)
	if program == "" {
		return
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, openerWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append(args, link)...) //nolint:gosec // one of the few programs of opener, with a link of our own
	cmd.WaitDelay = time.Second
	_ = cmd.Run() // the link is printed: who sees no browser opens it by hand
}

// opener is the program that opens a link on a desktop; empty: there is no desktop.
func opener(system string, env func(string) string) (program string, args []string) {
	switch {
	case env("SSH_CONNECTION") != "":
		return "", nil
	case system == "darwin":
		return "open", nil
	case system == "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}
	case env("DISPLAY") != "" || env("WAYLAND_DISPLAY") != "":
		return "xdg-open", nil
	}
	return "", nil
}
