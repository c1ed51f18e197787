package bufpipe_test

import (
	"fmt"
	"io"

	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
)

func Example() {
	a, b := bufpipe.New()
	fmt.Fprint(a, "written before anybody reads")
	a.Close()
	text, err := io.ReadAll(b)
	fmt.Println(string(text), err)
	// Output: written before anybody reads <nil>
}
