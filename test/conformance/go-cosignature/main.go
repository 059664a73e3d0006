// Command go-cosignature verifies the cosignatures of checkpoints with the code of transparency.dev alone (github.com/transparency-dev/formats).
//
// Usage: go-cosignature < {"notes": ["…"], "vkeys": ["…"]} > [[{"name": "…", "time": 0}, …], …]
//
// For each note, the names of the witnesses whose cosignature verifies, with the time at which each says that it signed; null when the note does not open.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

type question struct {
	Notes []string `json:"notes"`
	Vkeys []string `json:"vkeys"`
}

type signature struct {
	Name string `json:"name"`
	Time int64  `json:"time"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "go-cosignature:", err)
		os.Exit(1)
	}
}

func run() error {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	var verifiers []note.Verifier
	for _, vkey := range asked.Vkeys {
		verifier, err := cosignature.NewVerifierForCosignatureV1(vkey)
		if err != nil {
			return fmt.Errorf("%s: %w", vkey, err)
		}
		verifiers = append(verifiers, verifier)
	}
	var answers [][]signature
	for _, text := range asked.Notes {
		opened, err := note.Open([]byte(text), note.VerifierList(verifiers...))
		if err != nil {
			answers = append(answers, nil)
			continue
		}
		found := []signature{}
		for _, sig := range opened.Sigs {
			time, err := cosignature.CoSigV1Timestamp(sig)
			if err != nil {
				return err
			}
			found = append(found, signature{sig.Name, time.Unix()})
		}
		answers = append(answers, found)
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}
