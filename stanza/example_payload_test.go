package stanza_test

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"

	"mellium.im/xmlstream"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// The guide docs/payloads.md quotes this file; TestGuide sees to that.

const nsChess = "urn:example:chess"

// A Move is one move in a game of chess, by hand.
type Move struct {
	Game     string // which one of many
	From, To string // squares
	Clock    int    // seconds that are left
	Comment  string // may be empty
}

// AppendXML implements stanza.Payload.
func (m Move) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(nsChess, "move")
	w.Attr("game", m.Game)
	w.Element("", "from", m.From)
	w.Element("", "to", m.To)
	w.Element("", "clock", strconv.Itoa(m.Clock))
	if m.Comment != "" {
		w.Element("", "comment", m.Comment)
	}
	w.End()
	return w.Bytes()
}

// PayloadName implements stanza.Decoder.
func (*Move) PayloadName() xml.Name { return xml.Name{Space: nsChess, Local: "move"} }

// ParseXML implements stanza.Decoder.
func (m *Move) ParseXML(e stanza.Element) (err error) {
	*m = Move{Game: e.Attr("game")}
	for c := range e.Children() {
		switch {
		case c.Is(nsChess, "from"):
			m.From = c.Text()
		case c.Is(nsChess, "to"):
			m.To = c.Text()
		case c.Is(nsChess, "comment"):
			m.Comment = c.Text()
		case c.Is(nsChess, "clock"):
			if m.Clock, err = strconv.Atoi(c.Text()); err != nil {
				return errors.New("the clock is no number")
			}
		}
	}
	return nil
}

// A payload of one's own that is written and read by hand.
func ExampleDecoder() {
	e, err := stanza.ElementOf(Move{Game: "7", From: "e2", To: "e4", Clock: 297, Comment: "1 < 2"})
	fmt.Println(e, err)

	var m Move
	err = e.Decode(&m)
	fmt.Println(m.From, m.To, m.Comment, err)
	// Output:
	// <move xmlns='urn:example:chess' game='7'><from>e2</from><to>e4</to><clock>297</clock><comment>1 &lt; 2</comment></move> <nil>
	// e2 e4 1 < 2 <nil>
}

// A TaggedMove is a Move that says in its tags how it looks.
type TaggedMove struct {
	XMLName xml.Name `xml:"urn:example:chess move"`
	Game    string   `xml:"game,attr"`
	From    string   `xml:"from"`
	To      string   `xml:"to"`
	Clock   int      `xml:"clock"`
	Comment string   `xml:"comment,omitempty"`
}

// A payload of one's own that goes by struct tags.
func ExampleMarshal() {
	move := TaggedMove{Game: "7", From: "e2", To: "e4", Clock: 297, Comment: "1 < 2"}
	e, err := stanza.ElementOf(stanza.Marshal(&move))
	fmt.Println(e, err)

	var m TaggedMove
	err = e.Decode(&m)
	fmt.Println(m.From, m.To, m.Comment, err)
	// Output:
	// <move xmlns='urn:example:chess' game='7'><from>e2</from><to>e4</to><clock>297</clock><comment>1 &lt; 2</comment></move> <nil>
	// e2 e4 1 < 2 <nil>
}

// AppendXML implements stanza.Payload.
func (m *TaggedMove) AppendXML(dst []byte) ([]byte, error) { return stanza.Marshal(m).AppendXML(dst) }

// PayloadName implements stanza.Decoder.
func (*TaggedMove) PayloadName() xml.Name { return xml.Name{Space: nsChess, Local: "move"} }

// ParseXML implements stanza.Decoder.
func (m *TaggedMove) ParseXML(e stanza.Element) error {
	type fields TaggedMove // the tags without the methods
	return e.Decode((*fields)(m))
}

// A StreamMove is a Move as mellium.im/xmlstream has it.
type StreamMove struct {
	Game, From, To string
	Clock          int
	Comment        string
}

// TokenReader implements xmlstream.Marshaler.
func (m StreamMove) TokenReader() xml.TokenReader {
	child := func(local, text string) xml.TokenReader {
		return xmlstream.Wrap(xmlstream.Token(xml.CharData(text)), xml.StartElement{Name: xml.Name{Local: local}})
	}
	children := []xml.TokenReader{child("from", m.From), child("to", m.To), child("clock", strconv.Itoa(m.Clock))}
	if m.Comment != "" {
		children = append(children, child("comment", m.Comment))
	}
	return xmlstream.Wrap(xmlstream.MultiReader(children...), xml.StartElement{
		Name: xml.Name{Space: nsChess, Local: "move"},
		Attr: []xml.Attr{{Name: xml.Name{Local: "game"}, Value: m.Game}},
	})
}

// UnmarshalXML implements xml.Unmarshaler.
func (m *StreamMove) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	for _, a := range start.Attr {
		if a.Name.Local == "game" {
			m.Game = a.Value
		}
	}
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		child, ok := t.(xml.StartElement)
		if !ok {
			if _, end := t.(xml.EndElement); end {
				return nil
			}
			continue
		}
		var to any = new(string) // of no interest
		switch child.Name.Local {
		case "from":
			to = &m.From
		case "to":
			to = &m.To
		case "clock":
			to = &m.Clock
		case "comment":
			to = &m.Comment
		}
		if err := d.DecodeElement(to, &child); err != nil {
			return err
		}
	}
}

// A payload of one's own that is a stream of tokens.
func ExampleFromMarshaler() {
	move := StreamMove{Game: "7", From: "e2", To: "e4", Clock: 297, Comment: "1 < 2"}
	e, err := stanza.ElementOf(stanza.FromMarshaler(move))
	fmt.Println(e, err)

	var m StreamMove
	err = xml.NewTokenDecoder(e.TokenReader()).Decode(&m)
	fmt.Println(m.From, m.To, m.Comment, err)
	// Output:
	// <move xmlns='urn:example:chess' game='7'><from>e2</from><to>e4</to><clock>297</clock><comment>1 &lt; 2</comment></move> <nil>
	// e2 e4 1 < 2 <nil>
}

// sendMove tells a friend about a move.
func sendMove(ctx context.Context, session xmpp.Session, friend jid.JID, move Move) error {
	_, err := session.Send(ctx, stanza.Message{
		To:       friend,
		Type:     stanza.MessageChat,
		Body:     stanza.Plain(move.From + "–" + move.To), // for people without the game
		Payloads: stanza.Payloads{move},
	})
	return err
}

// askForMove hands a move to the opponent's program and returns the answer.
func askForMove(ctx context.Context, session xmpp.Session, opponent jid.JID, move Move) (answer Move, err error) {
	result, err := session.Query(ctx, stanza.IQ{To: opponent, Type: stanza.IQSet, Payload: move})
	if err != nil {
		return answer, err // a *stanza.Error if the opponent refused
	}
	return answer, result.Decode(&answer)
}

// registerMoves has both kinds received, and advertises that they are.
func registerMoves(mux *muxer.Mux) {
	muxer.Message(mux, stanza.MessageChat, func(ctx context.Context, m *stanza.Message, move *Move) error {
		fmt.Println(m.From, "moves", move.From, move.To)
		return nil
	})
	muxer.IQ(mux, stanza.IQSet, func(ctx context.Context, iq *stanza.IQ, move *Move) (Move, error) {
		if move.From == move.To {
			return Move{}, stanza.NotAcceptable // the error that the opponent gets
		}
		return Move{Game: move.Game, From: "e7", To: "e5", Clock: 300}, nil
	})
}

// Sending and receiving a payload of one's own.
func Example_payloads() {
	mux := muxer.New()
	registerMoves(mux)
	ctx, opponent := context.Background(), jid.MustParse("romeo@example.net/board")
	session := table{mux}

	fmt.Println(sendMove(ctx, session, opponent, Move{Game: "7", From: "e2", To: "e4"}))
	answer, err := askForMove(ctx, session, opponent, Move{Game: "7", From: "e2", To: "e4"})
	fmt.Println(answer.From, answer.To, err)
	_, err = askForMove(ctx, session, opponent, Move{})
	fmt.Println(errors.Is(err, stanza.NotAcceptable))
	// Output:
	// juliet@example.com/board moves e2 e4
	// <nil>
	// e7 e5 <nil>
	// true
}
