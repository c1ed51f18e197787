package stanza

import (
	"encoding/xml"
	"fmt"

	"mellium.im/xmlstream"

	"github.com/parlance-xmpp/xmpp/jid"
)

// An IQType is one of the four steps of a query (RFC 6120 §8.2.3).
type IQType string

// The types of IQ.
const (
	IQGet    IQType = "get"    // asks
	IQSet    IQType = "set"    // provides or changes
	IQResult IQType = "result" // the good answer
	IQError  IQType = "error"  // the other one
)

// IsRequest reports whether an IQ of this type must be answered.
func (t IQType) IsRequest() bool { return t == IQGet || t == IQSet }

// An IQ is a request or its answer (RFC 6120 §8.2.3).
type IQ struct {
	To, From jid.JID
	ID       string // given by the session when a request has none
	Type     IQType
	Lang     string
	Payload  Payload // exactly one in a request; one or nil in a result
	Error    *Error  // set exactly when Type is IQError
}

// Result returns the IQ that answers the request with payload, which may be nil.
func (iq *IQ) Result(payload Payload) IQ {
	return IQ{To: iq.From, From: iq.To, ID: iq.ID, Type: IQResult, Payload: payload}
}

// Fail returns the IQ that answers the request with an error, and repeats what that says of the request.
func (iq *IQ) Fail(e *Error) IQ {
	return IQ{To: iq.From, From: iq.To, ID: iq.ID, Type: IQError, Payload: e.Request, Error: e}
}

// Decode fills v, a [Decoder] or a pointer to a struct with tags as for [Marshal],
// from the payload of a received IQ.
func (iq *IQ) Decode(v any) error {
	if iq.Payload == nil {
		return fmt.Errorf("stanza: decode: %w", errNoElement)
	}
	e, err := ElementOf(iq.Payload)
	if err != nil {
		return err
	}
	return e.Decode(v)
}

// Header implements [Stanza].
func (iq IQ) Header() Header {
	return Header{Kind: KindIQ, Type: iq.wireType(), ID: iq.ID, To: iq.To, From: iq.From, Lang: iq.Lang}
}

// AppendXML implements [Stanza].
func (iq IQ) AppendXML(dst []byte) ([]byte, error) {
	w := NewWriter(dst)
	w.opens(KindIQ, iq.wireType(), iq.ID, &iq.To, &iq.From)
	w.Lang(iq.Lang)
	iq.children(w)
	return w.ends(KindIQ)
}

// wireType is the value of the type attribute.
func (iq *IQ) wireType() string {
	if iq.Error != nil {
		return string(IQError)
	}
	return string(iq.Type)
}

func (iq IQ) appendContent(w *Writer) { iq.children(w) }

func (iq *IQ) children(w *Writer) {
	if iq.Type.IsRequest() && iq.Payload == nil {
		w.fail("an IQ of type %s needs a payload", iq.Type)
	}
	w.Payload(iq.Payload)
	if iq.Error != nil {
		w.Payload(iq.Error)
	}
}

// TokenReader yields the IQ as tokens (mellium.im/xmlstream.Marshaler).
func (iq IQ) TokenReader() xml.TokenReader { return tokensOf(iq) }

// WriteXML writes the IQ's tokens to w (mellium.im/xmlstream.WriterTo).
func (iq IQ) WriteXML(w xmlstream.TokenWriter) (int, error) {
	return xmlstream.Copy(w, iq.TokenReader())
}

// IQ decodes an IQ. It fails when r is of another kind, and with a bad-request
// when it breaks a rule of RFC 6120 §8.2.3: no id, no valid type, a request without
// exactly one child, a result with several.
func (r *Raw) IQ() (IQ, error) {
	if err := r.want(KindIQ); err != nil {
		return IQ{}, err
	}
	h := &r.header
	iq := IQ{To: h.To, From: h.From, ID: h.ID, Type: IQType(lastingType(h.Type)), Lang: h.Lang}
	in := r.content(&iq.ID, &iq.Lang)
	if iq.ID == "" {
		return iq, badRequest("an IQ needs an id")
	}
	switch iq.Type {
	case IQError:
		iq.readError(&in)
		return iq, nil
	case IQGet, IQSet:
		if len(h.Children) != 1 {
			return iq, badRequest("an IQ of type %s needs exactly one child, not %d", iq.Type, len(h.Children))
		}
	case IQResult:
		if len(h.Children) > 1 {
			return iq, badRequest("a result has at most one child, not %d", len(h.Children))
		}
	default:
		return iq, badRequest("IQ type %.20q", h.Type)
	}
	if len(r.parts) > 0 {
		e := in.child(0)
		iq.Payload = &e
	}
	return iq, nil
}

// readError takes in the children of an error answer: the error and perhaps
// the request it answers.
func (iq *IQ) readError(in *content) {
	for i := range in.parts {
		c := in.child(i)
		switch {
		case c.Is(NS, "error") && iq.Error == nil:
			iq.Error = parseError(c)
		case iq.Payload == nil:
			iq.Payload = &c
		}
	}
	if iq.Error == nil {
		iq.Error = &Error{Condition: UndefinedCondition}
	}
}
