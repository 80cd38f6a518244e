// Puts load on an etcd cluster, when told to: the same load as bench/cluster/load.ts, by etcd's own
// client. Each line of standard input is `<put|get> <clients> <seconds>`; the answer is one line,
// `<operations per second> <p50 in ms> <p99 in ms>`. The first argument is the leader's address.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// As in load.ts.
const (
	keys              = 10_000
	keyBytes          = 8
	valueBytes        = 128
	connectionsAtMost = 8
	warmUpShare       = 0.2
)

func main() {
	endpoint := os.Args[1]
	var connections []*clientv3.Client
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var work string
		var count int
		var seconds float64
		if _, err := fmt.Sscan(lines.Text(), &work, &count, &seconds); err != nil {
			panic(err)
		}
		for len(connections) < min(count, connectionsAtMost) {
			connection, err := clientv3.New(clientv3.Config{
				Endpoints:   []string{endpoint},
				DialTimeout: 5 * time.Second,
			})
			if err != nil {
				panic(err)
			}
			connections = append(connections, connection)
		}
		measure(connections[:min(count, connectionsAtMost)], count, work, seconds)
	}
}

// Each client has one request under way. They share the connections.
func measure(connections []*clientv3.Client, count int, work string, seconds float64) {
	begin := time.Now()
	from := begin.Add(time.Duration(seconds * warmUpShare * float64(time.Second)))
	until := begin.Add(time.Duration(seconds * float64(time.Second)))
	all := make([][]time.Duration, count)
	var group sync.WaitGroup
	for at := range count {
		client := connections[at%len(connections)]
		group.Add(1)
		go func() {
			defer group.Done()
			chance := rand.New(rand.NewSource(int64(at)))
			for {
				asked := time.Now()
				if !asked.Before(until) {
					return
				}
				ask(client, work, chance)
				answered := time.Now()
				if !asked.Before(from) && answered.Before(until) {
					all[at] = append(all[at], answered.Sub(asked))
				}
			}
		}()
	}
	group.Wait()
	var latencies []time.Duration
	for _, each := range all {
		latencies = append(latencies, each...)
	}
	if len(latencies) == 0 {
		panic("nothing was answered in time")
	}
	sort.Slice(latencies, func(a, b int) bool { return latencies[a] < latencies[b] })
	quantile := func(share float64) float64 {
		place := int(share * float64(len(latencies)-1))
		return float64(latencies[place].Nanoseconds()) / 1e6
	}
	perSecond := float64(len(latencies)) / until.Sub(from).Seconds()
	fmt.Printf("%.1f %.4f %.4f\n", perSecond, quantile(0.5), quantile(0.99))
}

func ask(client *clientv3.Client, work string, chance *rand.Rand) {
	key := make([]byte, keyBytes)
	binary.BigEndian.PutUint32(key[keyBytes-4:], uint32(chance.Intn(keys)))
	var err error
	if work == "get" {
		// Linearizable by default.
		_, err = client.Get(context.Background(), string(key))
	} else {
		_, err = client.Put(context.Background(), string(key), string(make([]byte, valueBytes)))
	}
	if err != nil {
		panic(err)
	}
}
