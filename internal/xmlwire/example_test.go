package xmlwire_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

func ExampleReader() {
	stream := strings.NewReader(`<?xml version='1.0'?>
<stream:stream to='example.com' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>
<message to='juliet@example.com'><body>Wherefore art thou?</body></message>
<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
</stream:stream>`)

	r := xmlwire.NewReader(stream, xmlwire.Limits{})
	header, err := r.Header()
	if err != nil {
		fmt.Println(err)
		return
	}
	to, _ := header.Attr("", "to")
	fmt.Println("stream to", to)
	for {
		e, err := r.Next()
		if err == io.EOF {
			fmt.Println("closed")
			return
		} else if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Name.Space, e.Name.Local)
		fmt.Println(string(e.Raw))
	}
	// Output:
	// stream to example.com
	// jabber:client message
	// <message to='juliet@example.com'><body>Wherefore art thou?</body></message>
	// http://etherx.jabber.org/streams error
	// <error xmlns='http://etherx.jabber.org/streams'><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>
	// closed
}

func ExampleParse() {
	_, err := xmlwire.Parse([]byte(`<message><!-- psst --></message>`), "jabber:client", xmlwire.Limits{})
	if refused, ok := errors.AsType[*xmlwire.Error](err); ok {
		fmt.Println(refused.Condition)
	}
	// Output: restricted-xml
}

func ExampleNode() {
	e, err := xmlwire.Parse([]byte(`<message id='1'><body>Hi &amp; bye</body><x:x xmlns:x='urn:x'/></message>`), "jabber:client", xmlwire.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	n := xmlwire.NewNode(e.Raw, "jabber:client")
	for child := range n.Children() {
		fmt.Printf("%s in %s: %q\n", child.Name().Local, child.Name().Space, child.Text())
	}
	// Output:
	// body in jabber:client: "Hi & bye"
	// x in urn:x: ""
}

func ExampleNode_Tokens() {
	var roster struct {
		XMLName xml.Name `xml:"jabber:iq:roster query"`
		Items   []string `xml:"item>name"`
	}
	n := xmlwire.NewNode([]byte(`<query><item><name>Juliet</name></item></query>`), "jabber:iq:roster")
	if err := xml.NewTokenDecoder(n.Tokens()).Decode(&roster); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(roster.Items)
	// Output: [Juliet]
}

func ExampleAppendTokens() {
	d := xml.NewDecoder(strings.NewReader(`<p:a xmlns:p="urn:p"><p:b/><p:c xml:lang="en"><![CDATA[<&>]]></p:c></p:a>`))
	out, err := xmlwire.AppendTokens(nil, d, "jabber:client")
	fmt.Println(string(out), err)
	// Output: <a xmlns='urn:p'><b/><c xml:lang='en'>&lt;&amp;&gt;</c></a> <nil>
}
