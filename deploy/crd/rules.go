package crd

import (
	"fmt"
	"net/url"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

// environment is CEL with a variable self, and with the strings and as much of the
// addresses as Kubernetes offers. Its further libraries are not there: a rule that
// needs one is a fault. An address stays a string in here.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(cel.Variable("self", cel.DynType), cel.OptionalTypes(), ext.Strings(), ext.Sets(), ext.TwoVarComprehensions(),
		cel.Function("isURL", cel.Overload("is_url", []*cel.Type{cel.StringType}, cel.BoolType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.Bool(address(v) != nil) }))),
		cel.Function("url", cel.Overload("url", []*cel.Type{cel.StringType}, cel.StringType,
			cel.UnaryBinding(func(v ref.Val) ref.Val {
				if address(v) == nil {
					return types.NewErr("is not an address")
				}
				return v
			}))),
		cel.Function("getScheme", cel.MemberOverload("get_scheme", []*cel.Type{cel.StringType}, cel.StringType,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.String(address(v).Scheme) }))),
	)
})

// address is nil for what is no absolute address or path.
func address(v ref.Val) *url.URL {
	text, _ := v.Value().(string)
	u, err := url.ParseRequestURI(text)
	if err != nil {
		return nil
	}
	return u
}

// judgeRules runs the rules of a schema and of all beneath it that the value has.
func judgeRules(tree Object, v any, at string) (faults []string) {
	rules, _ := tree["x-kubernetes-validations"].([]any)
	for _, r := range rules {
		rule := r.(Object)
		text := fmt.Sprint(rule["rule"])
		if strings.Contains(text, "oldSelf") {
			continue
		}
		if ok, err := holds(text, v); err != nil {
			faults = append(faults, fmt.Sprintf("%s: the rule %q cannot be judged: %v", at, text, err))
		} else if !ok {
			faults = append(faults, fmt.Sprintf("%s: %v", at, or(rule["message"], text)))
		}
	}
	switch v := v.(type) {
	case Object:
		properties, _ := tree["properties"].(Object)
		more, _ := tree["additionalProperties"].(Object)
		for name, value := range v {
			of, ok := properties[name].(Object)
			if !ok {
				of = more
			}
			faults = append(faults, judgeRules(of, value, at+"."+name)...)
		}
	case []any:
		items, _ := tree["items"].(Object)
		for i, value := range v {
			faults = append(faults, judgeRules(items, value, fmt.Sprintf("%s[%d]", at, i))...)
		}
	}
	return faults
}

func holds(rule string, v any) (bool, error) {
	env, err := environment()
	if err != nil {
		return false, err
	}
	ast, issues := env.Compile(rule)
	if issues.Err() != nil {
		return false, issues.Err()
	}
	program, err := env.Program(ast)
	if err != nil {
		return false, err
	}
	out, _, err := program.Eval(map[string]any{"self": plain(v)})
	if err != nil {
		return false, err
	}
	return out.Value() == true, nil
}

func or(a, b any) any {
	if a != nil {
		return a
	}
	return b
}
