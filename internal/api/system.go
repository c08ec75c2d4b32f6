package api

// getSystem tells what the server knows about itself.
func getSystem(c *call) (reply, error) {
	out, err := c.System(c.ctx(), c.r)
	if err != nil {
		return reply{}, err
	}
	return ok(out)
}
