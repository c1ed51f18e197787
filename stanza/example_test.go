package stanza_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

func ExampleMessage() {
	m := stanza.Message{
		To:   jid.MustParse("juliet@example.com"),
		Type: stanza.MessageChat,
		Body: stanza.Plain("5 > 3 & 2 < 4"),
	}
	b, err := m.AppendXML(nil)
	fmt.Println(string(b), err)
	// Output: <message type='chat' to='juliet@example.com'><body>5 &gt; 3 &amp; 2 &lt; 4</body></message> <nil>
}

func ExampleRaw() {
	raw, err := stanza.Parse([]byte(`<message from='juliet@example.com/balcony'><body xml:lang='en'>hello</body><body xml:lang='de'>hallo</body></message>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(raw.Header().Kind, "from", raw.Header().From)
	m, err := raw.Message()
	fmt.Println(m.Body.In("de-AT"), err)
	// Output:
	// message from juliet@example.com/balcony
	// hallo <nil>
}

// Coordinates is a payload of one's own.
type Coordinates struct{ Lat, Lon float64 }

// PayloadName implements stanza.Decoder.
func (*Coordinates) PayloadName() xml.Name { return xml.Name{Space: "urn:example:geo", Local: "at"} }

// AppendXML implements stanza.Payload.
func (c Coordinates) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start("urn:example:geo", "at")
	w.Attr("lat", strconv.FormatFloat(c.Lat, 'f', -1, 64))
	w.Attr("lon", strconv.FormatFloat(c.Lon, 'f', -1, 64))
	w.End()
	return w.Bytes()
}

// ParseXML implements stanza.Decoder.
func (c *Coordinates) ParseXML(e stanza.Element) error {
	var err1, err2 error
	c.Lat, err1 = strconv.ParseFloat(e.Attr("lat"), 64)
	c.Lon, err2 = strconv.ParseFloat(e.Attr("lon"), 64)
	return errors.Join(err1, err2)
}

func ExamplePayload() {
	b, err := stanza.Message{Payloads: stanza.Payloads{Coordinates{45.44, 10.99}}}.AppendXML(nil)
	fmt.Println(string(b), err)

	raw, err := stanza.Parse(b)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := raw.Message()
	if err != nil {
		fmt.Println(err)
		return
	}
	var at Coordinates
	found, err := m.Payloads.Decode(&at)
	fmt.Println(found, at.Lat, at.Lon, err)
	// Output:
	// <message><at xmlns='urn:example:geo' lat='45.44' lon='10.99'/></message> <nil>
	// true 45.44 10.99 <nil>
}

func ExampleError() {
	var err error = fmt.Errorf("muc: join den@chat.example: %w", &stanza.Error{Condition: stanza.Conflict, Text: "nickname taken"})
	fmt.Println(err)
	fmt.Println(errors.Is(err, stanza.Conflict))
	// Output:
	// muc: join den@chat.example: conflict: nickname taken
	// true
}
