package api

import "github.com/grapnelhq/grapnel/internal/hook"

// tasksLookedAt is how many of an environment's newest tasks those of one endpoint are
// looked for among.
const tasksLookedAt = 1000

// listEndpointTasks lists the tasks of the endpoint in the path, newest first, so that
// whoever manages it sees how a recover goes on.
func listEndpointTasks(c *call) (reply, error) {
	q := c.params()
	limit := q.limit()
	if err := q.err(); err != nil {
		return reply{}, err
	}
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	tasks, err := c.tasksOf(e.ID, limit)
	if err != nil {
		return reply{}, err
	}
	return ok(listOf(hook.PageOf[hook.Task]{Items: tasks}, taskKey, taskOut))
}

func (c *call) tasksOf(endpoint hook.ID, limit int) ([]hook.Task, error) {
	var tasks []hook.Task
	f := hook.TaskFilter{Env: c.key.Env, Page: hook.Page{Limit: maxLimit}}
	for range tasksLookedAt / maxLimit {
		page, err := c.Store.ListTasks(c.ctx(), f)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			if t := page.Items[i]; t.Endpoint == endpoint && len(tasks) < limit {
				tasks = append(tasks, t)
			}
		}
		if !page.More || len(tasks) == limit {
			break
		}
		f.Page.From = page.Items[len(page.Items)-1].ID
	}
	return tasks, nil
}

// cancelEndpointTask stops a task of the endpoint in the path.
func cancelEndpointTask(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	id, err := c.taskID()
	if err != nil {
		return reply{}, err
	}
	t, err := c.Store.FindTask(c.ctx(), c.key.Env, id)
	switch {
	case err != nil:
		return reply{}, err
	case t.Endpoint != e.ID:
		return reply{}, hook.NotFound("task")
	}
	if t, err = c.Store.CancelTask(c.ctx(), c.key.Env, id, c.now); err != nil {
		return reply{}, err
	}
	return ok(taskOut(&t))
}
