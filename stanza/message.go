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
	t := string(m.Type)
	if m.Error != nil {
		t = string(MessageError)
	}
	return Header{Kind: KindMessage, Type: t, ID: m.ID, To: m.To, From: m.From, Lang: m.Lang}
}

// AppendXML implements [Stanza].
func (m Message) AppendXML(dst []byte) ([]byte, error) { return AppendWith(dst, m, m.Header()) }

func (m Message) appendContent(w *Writer) {
	m.Subject.append(w, "subject")
	m.Body.append(w, "body")
	if m.Thread.ID != "" {
		w.Start(NS, "thread")
		w.OptAttr("parent", m.Thread.Parent)
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
	for c := range r.element.Children() {
		name := c.Name()
		switch {
		case name.Space != NS:
			m.Payloads = append(m.Payloads, c)
		case name.Local == "subject":
			m.Subject.add(c)
		case name.Local == "body":
			m.Body.add(c)
		case name.Local == "thread" && m.Thread.ID == "":
			m.Thread = Thread{ID: c.Text(), Parent: c.Attr("parent")}
		case name.Local == "error" && m.Type == MessageError && m.Error == nil:
			m.Error = parseError(c)
		default:
			m.Payloads = append(m.Payloads, c)
		}
	}
	if m.Type == MessageError && m.Error == nil {
		m.Error = &Error{Condition: UndefinedCondition}
	}
	return m, nil
}

// messageType maps a type of the wire; RFC 6121 §5.2.2 takes an unknown one for normal.
func messageType(s string) MessageType {
	switch t := MessageType(s); t {
	case MessageChat, MessageGroupchat, MessageHeadline, MessageError:
		return t
	}
	return MessageNormal
}
