// Package version has the version of edgejwt, for the module's log and metrics, the command
// line and the image. It is in the sources and not set by a build flag, so that the same
// sources always give the same bytes.
package version

// Number is the version without a leading "v" (https://semver.org). Between two releases it
// is the number of the next one with "-dev". deploy/release.sh refuses a tag that is not
// "v" and Number. A test compares it with deploy/helm/edgejwt/Chart.yaml.
const Number = "0.9.0-dev"
