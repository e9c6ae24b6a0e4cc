// The load generator for etcd: one process, told what to do by JSON lines on its standard input, answering each by
// one JSON line on its standard output.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/bits"
	"math/rand"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/clientv3"
	"go.etcd.io/etcd/clientv3/concurrency"
)

type request struct {
	Op         string `json:"op"`
	Callers    int    `json:"callers"`
	WarmUpMs   int    `json:"warmUpMs"`
	MeasuredMs int    `json:"measuredMs"`
	Bytes      int    `json:"bytes"`
	Keys       int    `json:"keys"`
}

type answer struct {
	Operations int64      `json:"operations"`
	WallMs     float64    `json:"wallMs"`
	Buckets    [][2]int64 `json:"buckets"`
	GapMs      float64    `json:"gapMs"`
	Held       int        `json:"held"`
	Error      string     `json:"error,omitempty"`
}

// The same log-linear layout as the histogram of the benchmark itself, in microseconds.
const (
	subBits = 7
	sub     = 1 << subBits
	buckets = sub * 34
)

type histogram struct{ counts [buckets]int64 }

func (h *histogram) record(d time.Duration) {
	us := uint64(d.Microseconds())
	index := us
	if us >= 2*sub {
		e := bits.Len64(us) - 1 - subBits
		index = uint64(e)*sub + (us >> uint(e))
	}
	if index >= buckets {
		index = buckets - 1
	}
	h.counts[index]++
}

// Keys of acknowledged puts, so that they can be looked for after a crash.
var acknowledged struct {
	sync.Mutex
	keys []string
}

var next int64

func put(ctx context.Context, client *clientv3.Client, value string) (string, error) {
	key := fmt.Sprintf("k%012d", atomic.AddInt64(&next, 1))
	_, err := client.Put(ctx, key, value)
	return key, err
}

func load(clients []*clientv3.Client, req request) answer {
	value := strings.Repeat("x", req.Bytes)
	begin := time.Now().Add(time.Duration(req.WarmUpMs) * time.Millisecond)
	end := begin.Add(time.Duration(req.MeasuredMs) * time.Millisecond)
	histograms := make([]*histogram, req.Callers)
	failures := make([]error, req.Callers)
	var wait sync.WaitGroup
	for i := 0; i < req.Callers; i++ {
		histograms[i] = &histogram{}
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			client := clients[i%len(clients)]
			random := rand.New(rand.NewSource(int64(i)))
			var keys []string
			for {
				started := time.Now()
				if !started.Before(end) {
					break
				}
				var err error
				var key string
				if req.Op == "put" {
					key, err = put(context.Background(), client, value)
				} else {
					_, err = client.Get(context.Background(), fmt.Sprintf("k%012d", 1+random.Intn(req.Keys)))
				}
				if err != nil {
					failures[i] = err
					break
				}
				if key != "" {
					keys = append(keys, key)
				}
				if !started.Before(begin) {
					histograms[i].record(time.Since(started))
				}
			}
			acknowledged.Lock()
			acknowledged.keys = append(acknowledged.keys, keys...)
			acknowledged.Unlock()
		}(i)
	}
	wait.Wait()
	return summed(histograms, failures, begin)
}

func summed(histograms []*histogram, failures []error, begin time.Time) answer {
	result := answer{WallMs: float64(time.Since(begin).Microseconds()) / 1000}
	for b := 0; b < buckets; b++ {
		var count int64
		for _, h := range histograms {
			count += h.counts[b]
		}
		if count > 0 {
			result.Buckets = append(result.Buckets, [2]int64{int64(b), count})
			result.Operations += count
		}
	}
	for _, err := range failures {
		if err != nil {
			result.Error = err.Error()
		}
	}
	return result
}

// Callers that acquire one of so many locks and release it, each with a session of its own, as etcd's own recipe has it.
func locks(clients []*clientv3.Client, req request) answer {
	sessions := make([]*concurrency.Session, req.Callers)
	for i := range sessions {
		session, err := concurrency.NewSession(clients[i%len(clients)], concurrency.WithTTL(30))
		if err != nil {
			return answer{Error: err.Error()}
		}
		defer session.Close()
		sessions[i] = session
	}
	begin := time.Now().Add(time.Duration(req.WarmUpMs) * time.Millisecond)
	end := begin.Add(time.Duration(req.MeasuredMs) * time.Millisecond)
	histograms := make([]*histogram, req.Callers)
	failures := make([]error, req.Callers)
	var wait sync.WaitGroup
	for i := 0; i < req.Callers; i++ {
		histograms[i] = &histogram{}
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			random := rand.New(rand.NewSource(int64(i)))
			for {
				started := time.Now()
				if !started.Before(end) {
					return
				}
				mutex := concurrency.NewMutex(sessions[i], fmt.Sprintf("/locks/%d", random.Intn(req.Keys)))
				err := mutex.Lock(context.Background())
				if err == nil {
					err = mutex.Unlock(context.Background())
				}
				if err != nil {
					failures[i] = err
					return
				}
				if !started.Before(begin) {
					histograms[i].record(time.Since(started))
				}
			}
		}(i)
	}
	wait.Wait()
	return summed(histograms, failures, begin)
}

// One writer that asks the members one after another; the gap is the longest time between two acknowledgements.
type ticker struct {
	stop chan struct{}
	gap  chan float64
}

func startTicking(clients []*clientv3.Client) *ticker {
	t := &ticker{make(chan struct{}), make(chan float64, 1)}
	go func() {
		last := time.Now()
		longest := time.Duration(0)
		for i := 0; ; {
			select {
			case <-t.stop:
				t.gap <- float64(longest.Microseconds()) / 1000
				return
			default:
			}
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			_, err := put(ctx, clients[i%len(clients)], "tick")
			cancel()
			if err != nil {
				i++
				time.Sleep(5 * time.Millisecond)
				continue
			}
			now := time.Now()
			if now.Sub(last) > longest {
				longest = now.Sub(last)
			}
			last = now
		}
	}()
	return t
}

func held(client *clientv3.Client) (int, error) {
	found := 0
	from := "k"
	present := make(map[string]bool)
	for {
		reply, err := client.Get(context.Background(), from, clientv3.WithRange("l"), clientv3.WithKeysOnly(), clientv3.WithLimit(20000))
		if err != nil {
			return 0, err
		}
		for _, kv := range reply.Kvs {
			present[string(kv.Key)] = true
		}
		if !reply.More {
			break
		}
		from = string(reply.Kvs[len(reply.Kvs)-1].Key) + "\x00"
	}
	for _, key := range acknowledged.keys {
		if present[key] {
			found++
		}
	}
	return found, nil
}

func main() {
	endpoints := os.Args[1:]
	clients := make([]*clientv3.Client, 0, len(endpoints))
	for _, endpoint := range endpoints {
		client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: 10 * time.Second})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		clients = append(clients, client)
	}
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	var ticking *ticker
	for lines.Scan() {
		var req request
		var reply answer
		if err := json.Unmarshal(lines.Bytes(), &req); err != nil {
			reply.Error = err.Error()
		} else {
			switch req.Op {
			case "put", "get":
				reply = load(clients, req)
			case "lock":
				reply = locks(clients, req)
			case "tick":
				ticking = startTicking(clients)
			case "gap":
				close(ticking.stop)
				reply.GapMs = <-ticking.gap
			case "held":
				count, err := held(clients[0])
				reply.Held = count
				reply.Operations = int64(len(acknowledged.keys))
				if err != nil {
					reply.Error = err.Error()
				}
			default:
				reply.Error = "no operation " + req.Op
			}
		}
		if err := out.Encode(reply); err != nil {
			os.Exit(1)
		}
	}
}
