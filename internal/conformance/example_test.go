package conformance

import "fmt"

func Example() {
	h, ok := parseName("TestC4_7_1_ResponseFrom")
	fmt.Println(h.document, "§"+h.section, h.what, ok)
	// Output: RFC 6120 §4.7.1 response from true
}
