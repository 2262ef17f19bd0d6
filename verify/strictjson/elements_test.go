package strictjson_test

import (
	"errors"
	"reflect"
	"testing"

	"edgejwt/verify/strictjson"
)

// elementTexts have arrays named list in many places. Only that of the outermost object
// is handed over.
var elementTexts = []string{
	`{"list":[1,"a",{"b":[2]},[3]],"other":[4]}`,
	`{"a":{"list":[1]},"list":[{"list":[2,3]}],"b":[{"list":[4]}]}`,
	`{"l\u0069st":["x"]}`, `{"list":[]}`, `{"list":{"list":[1]}}`, `{"list":"x"}`, `{"List":[1]}`, `{}`, `[{"list":[1]}]`, `["list",[1]]`, `"list"`,
	`{"list":[{"a":1,"a":2}]}`, `{"list":[1],"list":[2]}`, `{"list":["\ud800"]}`, `{"list":[1}`, `{"list":[[[[[1]]]]]}`,
}

// sameAsParse fails when ParseElements does not accept what Parse accepts, or gives other
// values.
func sameAsParse(t *testing.T, text string, lim strictjson.Limits) {
	t.Helper()
	want, wantErr := strictjson.Parse(text, lim)
	var elements []strictjson.Value
	got, err := strictjson.ParseElements(text, lim, "list", func(element *strictjson.Value) error {
		elements = append(elements, *element)
		return nil
	})
	if !reflect.DeepEqual(err, wantErr) {
		t.Fatalf("%q: %v, by Parse %v", text, err, wantErr)
	}
	if err != nil {
		if got.Kind != strictjson.None {
			t.Fatalf("%q: an error and %+v", text, got)
		}
		return
	}
	if list, has := want.Member("list"); has && list.Kind == strictjson.Array {
		if !reflect.DeepEqual(elements, list.Children) {
			t.Fatalf("%q: elements %+v, by Parse %+v", text, elements, list.Children)
		}
		list.Children = nil
	} else if elements != nil {
		t.Fatalf("%q: elements %+v", text, elements)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: %+v, by Parse %+v", text, got, want)
	}
}

func TestParseElements(t *testing.T) {
	for _, text := range elementTexts {
		sameAsParse(t, text, wideLimits)
		sameAsParse(t, text, strictjson.Limits{Bytes: 40, Depth: 3, Values: 5})
	}
	stop, n := errors.New("stop"), 0
	_, err := strictjson.ParseElements(`{"list":[1,2,3]}`, wideLimits, "list", func(*strictjson.Value) error {
		if n++; n == 2 {
			return stop
		}
		return nil
	})
	if err != stop || n != 2 {
		t.Errorf("%v after %d elements", err, n)
	}
}

func FuzzParseElements(f *testing.F) {
	for _, text := range elementTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sameAsParse(t, text, strictjson.Limits{Bytes: 1 << 12, Depth: 6, Values: 100})
	})
}
