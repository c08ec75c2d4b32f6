package api

import "github.com/grapnelhq/grapnel/apitype"

const (
	ingestV1    = "/ingest/api/v1"
	atSource    = ingestV1 + "/source/{source}"
	atSourceEp  = atSource + "/endpoint/{ep}"
	atRequest   = atSource + "/request/{req}"
	requestList = "limit iterator before after state reason"
)

// Tokens of applications have no business with sources, so nothing here is of a right
// that lets them in.
var sourceRoutes = []route{
	{method: "GET", path: ingestV1 + "/source", id: "source.list", tag: "Source", summary: "List sources", right: rightRead,
		query: listQuery + " q", out: apitype.List[apitype.SourceRow]{}, status: 200, do: listSources},
	{method: "POST", path: ingestV1 + "/source", id: "source.create", tag: "Source", summary: "Create a source", right: rightManage,
		in: apitype.SourceIn{}, out: apitype.SourceOut{}, status: 201, do: createSource},
	{method: "GET", path: ingestV1 + "/source-type", id: "source-type.list", tag: "Source", summary: "List the types of source with how each is verified", right: rightRead,
		out: apitype.List[apitype.SourceTypeOut]{}, status: 200, do: listSourceTypes},
	{method: "GET", path: atSource, id: "source.get", tag: "Source", summary: "Get a source", right: rightRead,
		out: apitype.SourceOut{}, status: 200, do: getSource},
	{method: "PUT", path: atSource, id: "source.update", tag: "Source", summary: "Change or create a source", right: rightManage,
		in: apitype.SourceIn{}, out: apitype.SourceOut{}, status: 200, other: 201, do: putSource},
	{method: "PATCH", path: atSource, id: "source.patch", tag: "Source", summary: "Change some members of a source", right: rightManage,
		in: apitype.SourcePatch{}, out: apitype.SourceOut{}, status: 200, do: patchSource},
	{method: "DELETE", path: atSource, id: "source.delete", tag: "Source", summary: "Delete a source with its endpoints", right: rightManage,
		status: 204, do: deleteSource},
	{method: "POST", path: atSource + "/token/rotate", id: "source.rotate-token", tag: "Source", summary: "Replace the ingest URL; the old one works for another 48 hours", right: rightManage,
		out: apitype.RotateTokenOut{}, status: 200, do: rotateToken},
	{method: "GET", path: atSource + "/secret", id: "source.get-secrets", tag: "Source", summary: "Show the secrets that the provider signs with", right: rightManage,
		out: apitype.SourceSecretsOut{}, status: 200, do: getSourceSecrets},
	{method: "POST", path: atSource + "/secret/rotate", id: "source.rotate-secret", tag: "Source", summary: "Replace the secret that the provider signs with; the old one verifies for a while", right: rightManage,
		in: apitype.SourceSecretRotateIn{}, status: 204, do: rotateSourceSecret},
}

var sourceEndpointRoutes = []route{
	{method: "GET", path: atSource + "/endpoint", id: "source-endpoint.list", tag: "Source endpoint", summary: "List the endpoints of a source", right: rightRead,
		query: listQuery, out: apitype.List[apitype.EndpointOut]{}, status: 200, do: listEndpoints},
	{method: "POST", path: atSource + "/endpoint", id: "source-endpoint.create", tag: "Source endpoint", summary: "Create an endpoint that a source forwards to", right: rightManage,
		in: apitype.EndpointIn{}, out: apitype.EndpointOut{}, status: 201, do: createEndpoint},
	{method: "GET", path: atSourceEp, id: "source-endpoint.get", tag: "Source endpoint", summary: "Get an endpoint of a source", right: rightRead,
		out: apitype.EndpointOut{}, status: 200, do: getEndpoint},
	{method: "PUT", path: atSourceEp, id: "source-endpoint.update", tag: "Source endpoint", summary: "Change or create an endpoint of a source", right: rightManage,
		in: apitype.EndpointUpdate{}, out: apitype.EndpointOut{}, status: 200, other: 201, do: putEndpoint},
	{method: "DELETE", path: atSourceEp, id: "source-endpoint.delete", tag: "Source endpoint", summary: "Delete an endpoint of a source", right: rightManage,
		status: 204, do: deleteEndpoint},
	{method: "GET", path: atSourceEp + "/secret", id: "source-endpoint.get-secret", tag: "Source endpoint", summary: "Get the key that verifies our signatures", right: rightManage,
		out: apitype.EndpointSecretOut{}, status: 200, do: getSecret},
	{method: "POST", path: atSourceEp + "/secret/rotate", id: "source-endpoint.rotate-secret", tag: "Source endpoint", summary: "Replace our signing key", right: rightManage,
		in: apitype.EndpointSecretRotateIn{}, status: 204, do: rotateSecret},
	{method: "GET", path: atSourceEp + "/headers", id: "source-endpoint.get-headers", tag: "Source endpoint", summary: "Get the added request headers", right: rightRead,
		out: apitype.EndpointHeadersOut{}, status: 200, do: getHeaders},
	{method: "PUT", path: atSourceEp + "/headers", id: "source-endpoint.update-headers", tag: "Source endpoint", summary: "Replace the added request headers", right: rightManage,
		in: apitype.EndpointHeadersIn{}, status: 204, do: putHeaders},
}

var requestRoutes = []route{
	{method: "GET", path: atSource + "/request", id: "request.list", tag: "Request", summary: "List what reached a source, with the verdicts", right: rightRead,
		query: requestList, out: apitype.List[apitype.RequestFacts]{}, status: 200, do: listRequests},
	{method: "GET", path: atSource + "/log", id: "request.log", tag: "Request", summary: "List what reached a source, under the name that other servers of this API have for it", right: rightRead,
		query: requestList, out: apitype.List[apitype.RequestFacts]{}, status: 200, do: listRequests},
	{method: "POST", path: atSource + "/request/purge", id: "request.purge", tag: "Request", summary: "Remove requests that became no message", right: rightManage,
		in: apitype.RequestPurgeIn{}, out: apitype.RequestPurgeOut{}, status: 200, do: purgeRequests},
	{method: "GET", path: atRequest, id: "request.get", tag: "Request", summary: "Get a request with its headers", right: rightRead,
		out: apitype.RequestOut{}, status: 200, do: getRequest},
	{method: "PATCH", path: atRequest, id: "request.patch", tag: "Request", summary: "Change the note of a request", right: rightManage,
		in: apitype.RequestPatch{}, out: apitype.RequestOut{}, status: 200, do: patchRequest},
	{method: "GET", path: atRequest + "/body", id: "request.get-body", tag: "Request", summary: "Get the body of a request, byte for byte", right: rightRead,
		bytes: true, status: 200, do: getRequestBody},
	{method: "POST", path: atRequest + "/verify", id: "request.verify", tag: "Request", summary: "Verify a request again with the secrets of today", right: rightManage,
		in: apitype.RequestVerifyIn{}, out: apitype.RequestOut{}, status: 200, again: true, do: verifyRequest},
	{method: "POST", path: atRequest + "/replay", id: "request.replay", tag: "Request", summary: "Send a request again, through the routes of its source or once to a URL", right: rightManage,
		in: apitype.RequestReplayIn{}, out: apitype.RequestReplayOut{}, status: 202, other: 200, again: true, do: replayRequest},
}
