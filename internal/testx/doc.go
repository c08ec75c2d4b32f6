// Package testx is what the tests of several rooms share: a receiver that
// answers by script, a network inside the process, and a few assertions.
//
// Nothing in it waits for the clock. Receiver and Network work inside a
// testing/synctest bubble, where days of retries pass in milliseconds:
//
//	network := testx.NewNetwork()
//	receiver := testx.NewReceiver()
//	receiver.On("/hook", testx.Answer{Status: 500}, testx.Answer{Status: 204})
//	receiver.Serve(t, network, "203.0.113.7:80")
//	transport := &http.Transport{DialContext: network.DialContext}
//
// An assertion that fails ends its test, so it belongs on the test's own
// goroutine.
package testx
