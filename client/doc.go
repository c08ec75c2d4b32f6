// Package client is a Go client of the API: one method for each route, over the
// types of package apitype.
//
//	c, err := client.New("http://127.0.0.1:8080", key)
//	...
//	out, err := c.Publish(ctx, "acme", apitype.MessageIn{
//		EventType: "invoice.paid",
//		Payload:   json.RawMessage(`{"amount":1200}`),
//	}, client.PublishOptions{})
//
// Applications, sources, endpoints and messages are named by their id or by the
// caller's own uid or eventId. The endpoints and messages of a source are those of an
// application with its id. A failure that the server reports is an [*Error]. Requests
// are repeated when the connection or the server fails; every POST carries an
// idempotency key, so that a repeated one happens once.
package client
