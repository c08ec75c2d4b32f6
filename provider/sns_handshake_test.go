package provider_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/grapnelhq/grapnel/provider"
)

const snsHost = "https://sns.eu-central-1.amazonaws.com"

// confirmURL is the address that confirms a subscription to the topic.
func confirmURL(host, topic string) string {
	return host + "/?Action=ConfirmSubscription&TopicArn=" + url.QueryEscape(topic) + "&Token=2336412f37"
}

func confirmation(t *testing.T, v *provider.Verifier, kind, topic, address string) provider.Request {
	t.Helper()
	body, err := json.Marshal(map[string]string{
		"Type": kind, "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b", "Token": "2336412f37", "TopicArn": topic,
		"Message": "Visit the SubscribeURL.", "SubscribeURL": address, "Timestamp": "",
	})
	if err != nil {
		t.Fatal(err)
	}
	return signed(t, v, post(string(body)))
}

func TestASubscriptionOfSNSIsVisitedOnlyWhenAllThatGuardsItHolds(t *testing.T) {
	t.Parallel()
	good := confirmURL(snsHost, kettleTopic)
	foreign := "arn:aws:sns:eu-central-1:999999999999:kettle"
	for _, c := range []struct {
		name, topic, address string
		confirm, visited     bool
	}{
		{"all is well", kettleTopic, good, true, true},
		{"in China", kettleTopic, confirmURL("https://sns.cn-north-1.amazonaws.com.cn", kettleTopic), true, true},
		{"visits are not allowed", kettleTopic, good, false, false},
		{"a topic of another account in the address", kettleTopic, confirmURL(snsHost, foreign), true, false},
		{"another host", kettleTopic, confirmURL("https://attacker.example.com", kettleTopic), true, false},
		{"a longer host", kettleTopic, confirmURL("https://sns.eu-central-1.amazonaws.com.attacker.example.com", kettleTopic), true, false},
		{"a bucket", kettleTopic, confirmURL("https://sns.s3.amazonaws.com", kettleTopic), true, false},
		{"plain http", kettleTopic, confirmURL("http://sns.eu-central-1.amazonaws.com", kettleTopic), true, false},
		{"a port", kettleTopic, confirmURL(snsHost+":8443", kettleTopic), true, false},
		{"a user", kettleTopic, confirmURL("https://u:p@sns.eu-central-1.amazonaws.com", kettleTopic), true, false},
		{"a path", kettleTopic, snsHost + "/x?Action=ConfirmSubscription&Token=1&TopicArn=" + url.QueryEscape(kettleTopic), true, false},
		{"another action", kettleTopic, snsHost + "/?Action=Unsubscribe&Token=1&TopicArn=" + url.QueryEscape(kettleTopic), true, false},
		{"two actions", kettleTopic, good + "&Action=Publish", true, false},
		{"a fragment", kettleTopic, good + "#x", true, false},
		{"a backslash", kettleTopic, `https://sns.eu-central-1.amazonaws.com\@attacker.example.com/`, true, false},
		{"no address", kettleTopic, "", true, false},
	} {
		s := certifiedSettings["aws-sns"]
		s.Confirm = c.confirm
		v := ready(t, "aws-sns", s, certified().certificate+certified().private)
		r := confirmation(t, v, "SubscriptionConfirmation", c.topic, c.address)
		found, ok := ask(t, v, r)
		if !ok || found.Answer.Status != http.StatusOK || len(found.Answer.Body) > 0 {
			t.Errorf("%s: handshake %t, %d %q", c.name, ok, found.Answer.Status, found.Answer.Body)
		}
		want := ""
		if c.visited {
			want = c.address
		}
		if found.Visit != want {
			t.Errorf("%s: visit %q, want %q", c.name, found.Visit, want)
		}
		r.Body[len(r.Body)/2] ^= 1
		if _, ok := ask(t, v, r); ok {
			t.Errorf("%s: a changed message is answered", c.name)
		}
	}
}

func TestASubscriptionOfAnotherAccountIsNoHandshake(t *testing.T) {
	t.Parallel()
	s := certifiedSettings["aws-sns"]
	s.Confirm = true
	v := ready(t, "aws-sns", s, certified().certificate+certified().private)
	foreign := "arn:aws:sns:eu-central-1:999999999999:kettle"
	r := confirmation(t, v, "SubscriptionConfirmation", foreign, confirmURL(snsHost, foreign))
	if verdict := v.Verify(t.Context(), r, challengeTime); verdict.Reason != provider.NotAllowed {
		t.Errorf("%s, want not_allowed", verdict.Reason)
	}
	if found, ok := ask(t, v, r); ok || found.Visit != "" {
		t.Errorf("answered, with a visit to %q", found.Visit)
	}
}

func TestTheEndOfASubscriptionOfSNSIsAnEvent(t *testing.T) {
	t.Parallel()
	s := certifiedSettings["aws-sns"]
	s.Confirm = true
	v := ready(t, "aws-sns", s, certified().certificate+certified().private)
	r := confirmation(t, v, "UnsubscribeConfirmation", kettleTopic, confirmURL(snsHost, kettleTopic))
	if found, ok := ask(t, v, r); ok {
		t.Errorf("it is taken for a handshake, with a visit to %q: that would undo what the owner did", found.Visit)
	}
	if verdict := v.Verify(t.Context(), r, challengeTime); verdict.Reason != provider.Verified || verdict.EventType != "UnsubscribeConfirmation" {
		t.Errorf("%s %s", verdict.Reason, verdict.EventType)
	}
}
