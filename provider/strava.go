package provider

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// subscriptionID compares the id of the subscription, which is no secret, if one is set.
type subscriptionID struct{ unchecked }

func (subscriptionID) verify(ctx context.Context, r *Request, k key, s *Settings, now time.Time) Verdict {
	if s.AccountKey != "" && jsonText(r.Body, []string{"subscription_id"}) != s.AccountKey {
		return Verdict{Reason: NotAllowed, Detail: "The event is of another subscription."}
	}
	return unchecked{}.verify(ctx, r, k, s, now)
}

func (subscriptionID) sign(r *Request, _ key, s *Settings, _ string, _ time.Time) error {
	if s.AccountKey != "" {
		if _, err := strconv.ParseInt(s.AccountKey, 10, 64); err != nil {
			return errors.New("the id of a subscription is a number")
		}
		r.Body = jsonWith(r.Body, "subscription_id", s.AccountKey)
	}
	return nil
}
