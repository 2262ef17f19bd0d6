// Package version says which edgejwt this is: one number, written down in the
// sources, for the module's log and metrics, the desk and the image. No build
// flag sets it, so that the same sources give the same bytes everywhere.
package version

// Number is the version without a leading "v" (https://semver.org): that of the
// next release with "-dev" while it is being worked on, as on every commit
// between two tags. deploy/release.sh refuses a tag that is not "v" and Number;
// deploy/helm/edgejwt/Chart.yaml says the same, which a test holds.
const Number = "0.9.0-dev"
