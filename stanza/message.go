package stanza

import (
	"encoding/xml"

	"mellium.im/xmlstream"

	"github.com/parlance-xmpp/xmpp/jid"
)

// A MessageType says in what setting a message is meant (RFC 6121 §5.2.2).
type MessageType string

// The types of message. An absent or unknown type is [MessageNormal].
const (
	MessageNormal    MessageType = ""          // on its own, an answer expected
	MessageChat      MessageType = "chat"      // in a conversation of two
	MessageGroupchat MessageType = "groupchat" // in a room
	MessageHeadline  MessageType = "headline"  // an alert or notification, no answer expected
	MessageError     MessageType = "error"     // an earlier message came back
)

// A Message is pushed from one entity to another (RFC 6121 §5).
type Message struct {
	To, From jid.JID
	ID       string // given by the session when empty
	Type     MessageType
	Lang     string // xml:lang, the language of texts that name none

	Subject Text
	Body    Text
	Thread  Thread
	Error   *Error // set exactly when Type is MessageError

	Payloads Payloads // all other children
}

// A Thread names the conversation that a message belongs to (RFC 6121 §5.2.5).
type Thread struct {
	ID     string
	Parent string // the thread this one branched off; usually empty
}

// Reply returns a message that answers m: to its sender, of its type, in its
// thread. To a message from a room it is addressed to the whole room. A
// message of type error must not be answered with another error; the reply to
// it has type normal.
func (m *Message) Reply(body Text) Message {
	r := Message{To: m.From, Type: m.Type, Lang: m.Lang, Thread: m.Thread, Body: body}
	switch m.Type {
	case MessageGroupchat:
		r.To = m.From.Bare()
	case MessageError:
		r.Type = MessageNormal
	}
	return r
}

// Header implements [Stanza].
func (m Message) Header() Header {
	return Header{Kind: KindMessage, Type: m.wireType(), ID: m.ID, To: m.To, From: m.From, Lang: m.Lang}
}

// AppendXML implements [Stanza].
func (m Message) AppendXML(dst []byte) ([]byte, error) {
	w := NewWriter(dst)
	w.opens(KindMessage, m.wireType(), m.ID, &m.To, &m.From)
	w.Lang(m.Lang)
	m.children(w)
	return w.ends(KindMessage)
}

// wireType is the value of the type attribute.
func (m *Message) wireType() string {
	if m.Error != nil {
		return string(MessageError)
	}
	return string(m.Type)
}

func (m Message) appendContent(w *Writer) { m.children(w) }

func (m *Message) children(w *Writer) {
	m.Subject.append(w, "<subject", "</subject>")
	m.Body.append(w, "<body", "</body>")
	if m.Thread.ID != "" {
		w.begin(NS, "thread")
		w.optAttr("parent", m.Thread.Parent)
		w.Text(m.Thread.ID)
		w.End()
	}
	appendRest(w, m.Payloads, m.Error)
}

// TokenReader yields the message as tokens (mellium.im/xmlstream.Marshaler).
func (m Message) TokenReader() xml.TokenReader { return tokensOf(m) }

// WriteXML writes the message's tokens to w (mellium.im/xmlstream.WriterTo).
func (m Message) WriteXML(w xmlstream.TokenWriter) (int, error) {
	return xmlstream.Copy(w, m.TokenReader())
}

// Message decodes a message. It fails when r is of another kind.
func (r *Raw) Message() (Message, error) {
	if err := r.want(KindMessage); err != nil {
		return Message{}, err
	}
	h := &r.header
	m := Message{To: h.To, From: h.From, ID: h.ID, Type: messageType(h.Type), Lang: h.Lang}
	in := r.content(&m.ID, &m.Lang)
	rest := r.collecting()
	m.Body = rest.text
	for i := range r.parts {
		if name := &h.Children[i]; name.Space != NS || !m.child(&in, i, name.Local) {
			rest.add(&in, i)
		}
	}
	if len(m.Body) == 0 {
		m.Body = nil
	}
	m.Payloads = rest.payloads
	if m.Type == MessageError && m.Error == nil {
		m.Error = &Error{Condition: UndefinedCondition}
	}
	return m, nil
}

// child takes in one child of a received message, if there is a field for it.
func (m *Message) child(in *content, i int, local string) bool {
	switch e := in.child(i); {
	case local == "body":
		m.Body.add(e)
	case local == "subject":
		m.Subject.add(e)
	case local == "thread" && m.Thread.ID == "":
		m.Thread = Thread{ID: e.Text(), Parent: e.Attr("parent")}
	case local == "error" && m.Type == MessageError && m.Error == nil:
		m.Error = parseError(e)
	default:
		return false
	}
	return true
}

// messageType maps a type of the wire; RFC 6121 §5.2.2 takes an unknown one for normal.
func messageType(s string) MessageType {
	switch MessageType(s) {
	case MessageChat:
		return MessageChat
	case MessageGroupchat:
		return MessageGroupchat
	case MessageHeadline:
		return MessageHeadline
	case MessageError:
		return MessageError
	}
	return MessageNormal
}
