// Package dash serves the dashboard and the customer portal: the files that the
// build under web/ leaves in dist, embedded in the binary.
//
// Of every file but the pages only the compressed forms are there (.br and .gz). The
// two pages, index.html and portal.html, are templates that get the base of their
// relative links and the nonce of their policy. The base goes by how deep the path of
// the request is, as it is below whatever prefix a proxy has put before it and taken
// off again, so no prefix has to be known:
//
//	browser              proxy           here              base
//	/hooks/              strips /hooks   /                 ./
//	/hooks/messages/m1   strips /hooks   /messages/m1      ../
//	/portal/e/org_1      passes on       /portal/e/org_1   ../../
//
// Built with -tags noui there are no files, and the package serves none.
package dash
