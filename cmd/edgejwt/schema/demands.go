package schema

// mayBeEmpty lists the strings that may be empty, by their paths' ends.
func mayBeEmpty(path string) bool {
	return path == "auth0.fromHeaders[].prefix" || path == "jwtRules[].fromHeaders[].prefix"
}

// demands are what an object's fields need of each other. The plugin words them
// better; here stands what a schema can say without ever being the stricter one.
func demands(path string) []member {
	switch path {
	case "":
		return []member{{"anyOf", []any{with("auth0"), with("jwtRules")}}}
	case "jwtRules[].":
		anyAudience := with("anyAudience")
		is := new(object)
		is.add("const", true)
		properties := new(object)
		properties.add("anyAudience", is)
		anyAudience.add("properties", properties)
		return []member{
			{"oneOf", []any{with("audiences"), anyAudience}},
			{"not", with("jwks", "jwksUri")},
		}
	case "routes[].path.":
		return []member{{"minProperties", 1}, {"maxProperties", 1}}
	}
	return nil
}

// with demands fields that stand together.
func with(names ...string) *object {
	o := new(object)
	o.add("required", anys(names))
	return o
}
