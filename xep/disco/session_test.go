package disco_test

import (
	"context"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// answering is a session whose queries are answered by a function, through the
// wire form of question and answer.
type answering struct {
	xmpp.Session // nil: nothing else is asked of it
	answer       func(question string) (string, error)
}

func (s answering) Query(_ context.Context, iq stanza.IQ) (stanza.IQ, error) {
	iq.ID = "q1"
	b, err := iq.AppendXML(nil)
	if err != nil {
		return stanza.IQ{}, err
	}
	answer, err := s.answer(string(b))
	if err != nil {
		return stanza.IQ{}, err
	}
	raw, err := stanza.Parse([]byte(answer))
	if err != nil {
		return stanza.IQ{}, err
	}
	result, err := raw.IQ()
	if err == nil && result.Error != nil {
		err = result.Error
	}
	return result, err
}
