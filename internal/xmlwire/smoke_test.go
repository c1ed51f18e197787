package xmlwire
import ("testing";"strings";"io")
func TestSmoke(t *testing.T) {
	r := NewReader(strings.NewReader("<?xml version='1.0'?><stream:stream to='a&amp;b' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'> \n<message to='x'><body>hi &amp; bye</body></message><stream:features><a xmlns='u'/></stream:features><p:iq xmlns:p='jabber:client' xmlns='v' q='\"\n' ><x p:q='1'/><![CDATA[<a>\r\n\r]]>]]&gt;</p:iq ></stream:stream > "), Limits{})
	h, err := r.Header()
	t.Logf("%+v %v", h, err)
	for {
		e, err := r.Next()
		t.Logf("%+v %s %v", e.Name, e.Raw, err)
		if err != nil { break }
		tr, err := tree(NewNode(e.Raw, h.ContentNS).Tokens(), false)
		t.Logf("%s %v", tr, err)
		if a, b := nodeTree(NewNode(e.Raw, h.ContentNS)), textFirst(NewNode(e.Raw, h.ContentNS)); a != b { t.Error(a, b) }
		if s, err := stdTree(e.Raw, h.ContentNS, false); s != tr { t.Error(s, err)}
	}
	_, err = r.Next()
	if err != io.EOF { t.Error(err) }
}
