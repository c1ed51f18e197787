package xmltags_test

import (
	"encoding/xml"
	"fmt"

	"github.com/parlance-xmpp/xmpp/internal/xmltags"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

func ExampleCodec() {
	type location struct {
		XMLName xml.Name `xml:"http://jabber.org/protocol/geoloc geoloc"`
		Lang    string   `xml:"xml:lang,attr,omitempty"`
		Country string   `xml:"country,omitempty"`
		Lat     float64  `xml:"lat"`
		Lon     float64  `xml:"lon"`
	}
	var codec xmltags.Codec

	b, err := codec.Append(nil, location{Lang: "en", Country: "Trinidad & Tobago", Lat: 10.5, Lon: -61.3}, "jabber:client")
	fmt.Println(string(b), err)

	var l location
	err = codec.Decode(xmlwire.NewNode(b, "jabber:client"), &l)
	fmt.Println(l.Country, l.Lat, l.Lon, err)
	// Output:
	// <geoloc xmlns='http://jabber.org/protocol/geoloc' xml:lang='en'><country>Trinidad &amp; Tobago</country><lat>10.5</lat><lon>-61.3</lon></geoloc> <nil>
	// Trinidad & Tobago 10.5 -61.3 <nil>
}
