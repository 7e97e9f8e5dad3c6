// Package scenarios is what the programs of this folder share: the list of scenarios, and the way to ask for a restart of the broker.
package scenarios

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

type scenario struct {
	name string
	run  func(bootstrap string)
}

var (
	list   []scenario
	hidden map[string]func(string)
	input  = bufio.NewReader(os.Stdin)
)

// Add registers a scenario, which panics when it fails.
func Add(name string, run func(bootstrap string)) { list = append(list, scenario{name, run}) }

// AddButKafka registers a scenario about what a broker lacks, and Kafka does not lack it.
func AddButKafka(name string, run func(bootstrap string)) {
	if os.Getenv("SLUICE_COMPAT_TARGET") != "kafka" {
		Add(name, run)
	}
}

// Exchange is what a client does among others: it writes values in a codec, and reads a number of them.
func Exchange(write func(bootstrap, topic, codec string, values []string), read func(bootstrap, topic string, count int) []string) {
	hidden = map[string]func(string){
		"write": func(bootstrap string) {
			for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
				write(bootstrap, os.Args[3], codec, Texts(100, os.Args[4]+" "+codec))
			}
		},
		"read": func(bootstrap string) {
			values := read(bootstrap, os.Args[3], Must1(strconv.Atoi(os.Args[4])))
			fmt.Printf("sha256 %x\n", sha256.Sum256([]byte(strings.Join(values, "\n"))))
		},
	}
}

func Main() {
	if os.Args[1] == "--list" {
		for _, each := range list {
			fmt.Println(each.name)
		}
		return
	}
	run := hidden[os.Args[2]]
	for _, each := range list {
		if each.name == os.Args[2] {
			run = each.run
		}
	}
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", failure, debug.Stack())
			os.Exit(1)
		}
		os.Exit(0)
	}()
	Check(run != nil, "no such scenario: %s", os.Args[2])
	run(os.Args[1])
}

// Broker asks for "stop", "start" or "kill9", and waits until it is done.
func Broker(request string) {
	fmt.Println("broker: " + request)
	answer, err := input.ReadString('\n')
	Must(err)
	Check(answer == "done\n", "the broker: %q", answer)
}

// ThroughEnds stops and kills the broker under what goes on, each time after both counts have grown, and ends when they have grown once more.
func ThroughEnds(told, read func() int) {
	progress := func() {
		toldBefore, readBefore := told(), read()
		WaitFor("progress", func() bool { return told() > toldBefore+500 && read() > readBefore })
	}
	for _, end := range []string{"stop", "kill9", "kill9"} {
		progress()
		Broker(end)
		Broker("start")
	}
	progress()
}

func Must(err error) {
	if err != nil {
		panic(err)
	}
}

func Must1[T any](value T, err error) T {
	Must(err)
	return value
}

func Check(holds bool, format string, args ...any) {
	if !holds {
		panic(fmt.Sprintf(format, args...))
	}
}

func Equal(got, expected any) {
	g, e := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", expected)
	Check(g == e, "got %.2000s\nexpected %.2000s", g, e)
}

// WaitFor returns as soon as the condition is true.
func WaitFor(what string, condition func() bool) {
	for deadline := time.Now().Add(90 * time.Second); !condition(); time.Sleep(20 * time.Millisecond) {
		Check(time.Now().Before(deadline), "never came: %s", what)
	}
}

// Fresh is a name that no other run has.
func Fresh(purpose string) string { return fmt.Sprintf("%s-%x", purpose, time.Now().UnixNano()) }

func Texts(count int, salt string) []string {
	texts := make([]string, count)
	for i := range texts {
		texts[i] = fmt.Sprintf("%s %d %s", salt, i, strings.Repeat("abc ", i%40))
	}
	return texts
}

// WithPrefix are the values that begin so, in their order.
func WithPrefix(values []string, prefix string) []string {
	var found []string
	for _, value := range values {
		if strings.HasPrefix(value, prefix) {
			found = append(found, value)
		}
	}
	return found
}

func Sorted(values []string) []string {
	copied := append([]string(nil), values...)
	sort.Strings(copied)
	return copied
}

// Set collects values from several goroutines.
type Set struct {
	mutex  sync.Mutex
	values map[string]bool
}

func (s *Set) Add(value string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.values == nil {
		s.values = map[string]bool{}
	}
	s.values[value] = true
}

func (s *Set) Len() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.values)
}

// Placed is a record where it was told to be, or found.
type Placed struct {
	Partition int32
	Offset    int64
	Value     int
}

// CheckSurvival holds what was read against what was sent and told: each value once, in the order of its partition, at its offset.
func CheckSurvival(sent int, told, read []Placed) {
	Equal(len(read), sent)
	last := map[int32]Placed{}
	seen := make([]bool, sent)
	at := map[Placed]bool{}
	for _, each := range read {
		Check(!seen[each.Value], "%d was read twice", each.Value)
		seen[each.Value], at[each] = true, true
		if before, ok := last[each.Partition]; ok {
			Check(before.Value < each.Value && before.Offset < each.Offset, "%v came before %v", before, each)
		}
		last[each.Partition] = each
	}
	Equal(len(told), sent)
	for _, each := range told {
		Check(at[each], "%v was told, and is not there", each)
	}
}
