package api

import "github.com/grapnelhq/grapnel/apitype"

const (
	atSession = v1 + "/session"
	atPasskey = v1 + "/passkey"
	atMembers = v1 + "/member"
	atMember  = atMembers + "/{member}"
	atEnvs    = v1 + "/management/environment"
)

// Calls of rightNone find out themselves whether there is a session, and refuse what
// a page of another site sends.
var sessionRoutes = []route{
	{method: "GET", path: atSession, id: "session.get", tag: "Session", summary: "Tell who is signed in, and how one can", right: rightNone,
		out: apitype.SessionOut{}, status: 200, do: getSession},
	{method: "POST", path: atSession, id: "session.create", tag: "Session", summary: "Sign in; the session is in a cookie", right: rightNone,
		in: apitype.SignInIn{}, out: apitype.SessionOut{}, status: 200, again: true, do: signIn},
	{method: "DELETE", path: atSession, id: "session.delete", tag: "Session", summary: "Sign out", right: rightMember,
		status: 204, do: signOut},
	{method: "POST", path: v1 + "/link", id: "link.look", tag: "Session", summary: "Tell what the code of a link is good for, without using it up", right: rightNone, quiet: true,
		in: apitype.LinkIn{}, out: apitype.LinkOut{}, status: 200, again: true, do: lookAtLink},
	{method: "POST", path: v1 + "/setup", id: "session.setup", tag: "Session", summary: "Make the first member, or take up an invitation or a reset, and sign in", right: rightNone,
		in: apitype.SetupIn{}, out: apitype.SessionOut{}, status: 200, again: true, do: setUp},
	{method: "GET", path: atSession + "/list", id: "session.list", tag: "Session", summary: "List one's own sessions", right: rightMember,
		out: apitype.List[apitype.SessionListed]{}, status: 200, do: listSessions},
	{method: "PATCH", path: atSession + "/member", id: "session.patch-member", tag: "Session", summary: "Change one's own name or password", right: rightMember,
		in: apitype.OwnMemberPatch{}, out: apitype.SessionOut{}, status: 200, do: patchOwnMember},
	{method: "DELETE", path: atSession + "/{session}", id: "session.end", tag: "Session", summary: "End one of one's own sessions", right: rightMember,
		status: 204, do: endSession},
	{method: "POST", path: atSession + "/passkey/begin", id: "session.begin-passkey", tag: "Session", summary: "Begin to sign in with a passkey", right: rightNone, quiet: true,
		out: apitype.PasskeyBeginOut{}, status: 200, again: true, do: beginPasskeySignIn},
	{method: "POST", path: atSession + "/passkey/finish", id: "session.finish-passkey", tag: "Session", summary: "Sign in with a passkey", right: rightNone,
		in: apitype.PasskeyFinishIn{}, out: apitype.SessionOut{}, status: 200, again: true, do: finishPasskeySignIn},
	{method: "GET", path: atSession + "/oidc", id: "session.begin-oidc", right: rightNone, hidden: true, query: returnQuery, status: 302, do: beginProvider},
	{method: "GET", path: atSession + "/oidc/callback", id: "session.finish-oidc", right: rightNone, hidden: true, signsIn: true, status: 302, do: finishProvider},
	{method: "GET", path: atPasskey, id: "passkey.list", tag: "Session", summary: "List one's own passkeys", right: rightMember,
		out: apitype.List[apitype.PasskeyOut]{}, status: 200, do: listPasskeys},
	{method: "POST", path: atPasskey + "/begin", id: "passkey.begin", tag: "Session", summary: "Begin to add a passkey", right: rightMember, quiet: true,
		out: apitype.PasskeyBeginOut{}, status: 200, again: true, do: beginPasskey},
	{method: "POST", path: atPasskey + "/finish", id: "passkey.create", tag: "Session", summary: "Add a passkey", right: rightMember,
		in: apitype.PasskeyFinishIn{}, out: apitype.PasskeyOut{}, status: 201, again: true, do: finishPasskey},
	{method: "DELETE", path: atPasskey + "/{passkey}", id: "passkey.delete", tag: "Session", summary: "Remove one of one's own passkeys", right: rightMember,
		status: 204, do: deletePasskey},
}

var memberRoutes = []route{
	{method: "GET", path: atMembers, id: "member.list", tag: "Member", summary: "List members", right: rightMembers,
		query: listQuery, out: apitype.List[apitype.MemberOut]{}, status: 200, do: listMembers},
	{method: "POST", path: atMembers, id: "member.create", tag: "Member", summary: "Invite a member", right: rightMembers,
		in: apitype.MemberIn{}, out: apitype.MemberCreateOut{}, status: 201, again: true, do: createMember},
	{method: "GET", path: atMember, id: "member.get", tag: "Member", summary: "Get a member", right: rightMembers,
		out: apitype.MemberOut{}, status: 200, do: getMember},
	{method: "PATCH", path: atMember, id: "member.patch", tag: "Member", summary: "Change the role of a member, or the name", right: rightMembers,
		in: apitype.MemberPatch{}, out: apitype.MemberOut{}, status: 200, do: patchMember},
	{method: "DELETE", path: atMember, id: "member.delete", tag: "Member", summary: "Remove a member with all sessions", right: rightMembers,
		status: 204, do: deleteMember},
	{method: "POST", path: atMember + "/link", id: "member.create-link", tag: "Member", summary: "Make a link that lets a member in once", right: rightMembers,
		in: apitype.MemberLinkIn{}, out: apitype.MemberLinkOut{}, status: 201, again: true, do: createMemberLink},
	{method: "GET", path: v1 + "/audit", id: "audit.list", tag: "Member", summary: "List who did what, newest first", right: rightAdmin,
		query: "limit iterator before after", out: apitype.List[apitype.AuditOut]{}, status: 200, do: listAudits},
	{method: "GET", path: atEnvs, id: "environment.list", tag: "Environment", summary: "List environments; a key sees its own", right: rightRead,
		out: apitype.List[apitype.EnvironmentOut]{}, status: 200, do: listEnvironments},
	{method: "POST", path: atEnvs, id: "environment.create", tag: "Environment", summary: "Create an environment", right: rightMembers,
		in: apitype.EnvironmentIn{}, out: apitype.EnvironmentOut{}, status: 201, again: true, do: createEnvironment},
	{method: "PATCH", path: atEnvs + "/{env}", id: "environment.patch", tag: "Environment", summary: "Change the name or the kind of an environment", right: rightAdmin,
		in: apitype.EnvironmentPatch{}, out: apitype.EnvironmentOut{}, status: 200, do: patchEnvironment},
}
