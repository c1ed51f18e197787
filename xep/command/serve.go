package command

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// serve answers a request.
func (r *Responder) serve(ctx context.Context, iq *stanza.IQ, c *Command) (stanza.Payload, error) {
	o := r.find(c.Node)
	if o == nil {
		return nil, refusal(r.missing(ctx, c.Node, iq.From), c)
	}
	answer, err := r.execute(ctx, o, iq, c)
	if err != nil {
		return nil, refusal(err, c)
	}
	return *answer, nil
}

// refusal is the error that goes out: a condition of this package in a stanza error, and beside it which command it is about. What went wrong
// inside stays there.
func refusal(err error, c *Command) error {
	e, decided := stanza.AsError(err)
	if !decided {
		condition, ok := errors.AsType[Condition](err)
		if !ok {
			return err
		}
		e = condition.refusal("")
	}
	told := *e // the handler may return the same one to others
	if told.Request == nil {
		told.Request = repeated(*c)
	}
	return &told
}

func (r *Responder) execute(ctx context.Context, o *Offer, iq *stanza.IQ, c *Command) (*Command, error) {
	action := cmp.Or(c.Action, Execute)
	switch {
	case !o.allows(ctx, iq.From):
		return nil, stanza.Forbidden
	case !action.valid():
		return nil, MalformedAction
	}
	req := &Request{From: iq.From, To: asked(ctx, iq), Lang: cmp.Or(c.Lang, iq.Lang)}
	if c.SessionID != "" {
		return r.goOn(ctx, o, req, c, action)
	}
	if action != Execute {
		return nil, BadAction
	}
	return r.begin(ctx, o, req)
}

// begin begins an execution, which is kept if it does not end at once.
func (r *Responder) begin(ctx context.Context, o *Offer, req *Request) (*Command, error) {
	s := &session{key: r.sessions.newKey(req.From, req.To, o.Node), lang: req.Lang}
	stage, err := o.Run(ctx, req)
	if err != nil {
		return nil, err
	}
	s.stages = []Stage{stage}
	if !stage.isLast() {
		if err := r.sessions.add(s); err != nil {
			return nil, err
		}
	}
	return s.show(o), nil
}

// goOn goes on with an execution.
func (r *Responder) goOn(ctx context.Context, o *Offer, req *Request, c *Command, action Action) (*Command, error) {
	s, err := r.sessions.take(key{req.From, req.To, o.Node, c.SessionID})
	if err != nil {
		return nil, err
	}
	over := false
	defer func() { r.sessions.release(s, over) }()
	req.Lang = s.lang
	switch action {
	case Cancel:
		over = true
		return &Command{Node: o.Node, SessionID: s.id, Status: Canceled, Lang: o.Lang}, nil
	case Prev:
		if len(s.stages) < 2 {
			return nil, BadAction
		}
		s.stages = s.stages[:len(s.stages)-1]
	default:
		if err := s.advance(ctx, req, c, action); err != nil {
			return nil, err
		}
	}
	over = s.shown().isLast()
	return s.show(o), nil
}

// maxStages bounds the way back.
const maxStages = 32

// advance goes to the next stage.
func (s *session) advance(ctx context.Context, req *Request, c *Command, action Action) error {
	current := s.shown()
	do := current.handler(action)
	if do == nil {
		return BadAction
	}
	filled, err := current.accept(c)
	if err != nil {
		return BadPayload.refusal(err.Error())
	}
	req.Form = filled
	next, err := do(ctx, req)
	if err != nil {
		return err
	}
	s.stages[len(s.stages)-1] = current.filled(filled)
	if len(s.stages) == maxStages {
		s.stages = slices.Delete(s.stages, 0, 1)
	}
	s.stages = append(s.stages, next)
	return nil
}

// shown is the stage that the requester sees.
func (s *session) shown() *Stage { return &s.stages[len(s.stages)-1] }

// show returns what the requester sees of it.
func (s *session) show(o *Offer) *Command {
	stage := s.shown()
	c := &Command{Node: o.Node, SessionID: s.id, Status: Completed, Lang: o.Lang, Notes: stage.Notes}
	if !stage.isLast() {
		c.Status, c.Actions = Executing, stage.actions(len(s.stages) > 1)
	}
	if stage.Form != nil {
		c.Payloads = append(c.Payloads, *stage.Form)
	}
	c.Payloads = append(c.Payloads, stage.Payloads...)
	return c
}
