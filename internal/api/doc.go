// Package api answers the management and publish API under /api/v1.
//
// One table, in routes.go, holds every route: who may call it, what it takes and
// gives, and the handler. The router, the OpenAPI document and the tests all
// read that table. A request runs through
//
//	Handler (request id, CORS, panics) -> router -> key and rights -> handler
//
// and every failure, whoever finds it, leaves as the one error object of
// errors.go. Handlers are grouped one file per noun. Publishing has a decoder of
// its own (scan.go), because a payload must go out byte for byte as it came in.
//
// The package knows the store, the engine and the network policy only as the
// functions and small interfaces of Deps.
package api

// The page docs/errors.md is written by the test that holds it to the catalog.
//go:generate env UPDATE=1 go test -run ^(TestEveryErrorCodeIsInTheDocument|TestTheDashboardIsBuiltFromThisOpenAPIDocument)$ .
