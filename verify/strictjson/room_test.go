package strictjson

import "testing"

// TestRoomKeepsNothing: what was read, perhaps of a person, is not held until the
// next text comes.
func TestRoomKeepsNothing(t *testing.T) {
	for _, text := range []string{`{"sub": "ann", "roles": ["a", "b", {"c": 1}]}`, `{"sub": "ann", "x": [1, {"y": 2, "y": 3}]}`, `{"sub": "ann", "x": [1,`} {
		_, _ = Parse(text, Limits{Bytes: 1000, Depth: 10, Values: 100})
		kept := room.Load()
		if kept == nil {
			t.Fatal("the room was not given back")
		}
		for i := range kept {
			if v := &kept[i]; v.Name != "" || v.Raw != "" || v.Text != "" || v.Children != nil {
				t.Errorf("after %s: %+v is kept", text, v)
			}
		}
	}
}
